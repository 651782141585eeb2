/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes of sections the patterns that the kernel side matches new cgroups with. */
#include "pattern.h"

#include <errno.h>
#include <fnmatch.h>

#include "util.h"

struct compiler {
	struct psc_pattern *pattern;
	size_t len;		/* of its text so far */
	unsigned int sets;
};

static int emit(struct compiler *c, char byte)
{
	/* The kernel side looks one byte further. */
	if (c->len + 1 >= sizeof(c->pattern->text))
		return -E2BIG;
	c->pattern->text[c->len++] = (__u8)byte;
	return 0;
}

static int emit_special(struct compiler *c, char special)
{
	return emit(c, PSC_PATTERN_SPECIAL) ?: emit(c, special);
}

/*
 * The end of a bracket expression, fnmatch(3): "]" ends it, but not as its first member, and
 * not inside of "[:", "[." and "[=". NULL when it has none, and then "[" stands for itself.
 */
static const char *bracket_end(const char *text)
{
	const char *c = text + 1;

	if (*c == '!' || *c == '^')
		c++;
	if (*c == ']')
		c++;
	for (; *c && *c != ']'; c++) {
		const char *close;
		char what[] = { c[1], ']', '\0' };

		if (*c != '[' || !c[1] || !strchr(":.=", c[1]))
			continue;
		close = strstr(c + 2, what);
		if (close)
			c = close + 1;
	}
	return *c ? c : NULL;
}

/* The bytes that a bracket expression stands for, by fnmatch(3) itself. */
static int emit_set(struct compiler *c, const char *text, size_t len)
{
	_cleanup_free_ char *glob = strndup(text, len);
	__u64 set[4] = {};
	unsigned int i;

	if (!glob)
		return -ENOMEM;
	for (int byte = 1; byte < 256; byte++) {
		const char name[] = { (char)byte, '\0' };

		if (byte != '/' && fnmatch(glob, name, FNM_NOESCAPE) == 0)
			set[byte / 64] |= 1ULL << byte % 64;
	}
	for (i = 0; i < c->sets; i++)
		if (memcmp(c->pattern->sets[i], set, sizeof(set)) == 0)
			break;
	if (i == PSC_PATTERN_SETS)
		return -E2BIG;
	if (i == c->sets)
		memcpy(c->pattern->sets[c->sets++], set, sizeof(set));
	return emit_special(c, (char)(i + 1));
}

static int compile_component(struct compiler *c, const char *text, size_t len)
{
	_cleanup_free_ char *part = strndup(text, len);
	int err = part ? 0 : -ENOMEM;

	for (const char *at = part; !err && *at; at++) {
		const char *end = *at == '[' ? bracket_end(at) : NULL;

		if (end) {
			err = emit_set(c, at, (size_t)(end + 1 - at));
			at = end;
		} else if (*at == '*') {
			while (at[1] == '*')
				at++;
			err = emit_special(c, PSC_PATTERN_STAR);
		} else if (*at == '?') {
			err = emit_special(c, PSC_PATTERN_ANY);
		} else {
			err = emit(c, *at);
		}
	}
	return err ?: emit(c, '\0');
}

int psc_pattern_compile(const char *pattern, struct psc_pattern *ret)
{
	struct compiler c = { .pattern = ret };
	bool unit = !strchr(pattern, '/');
	unsigned int n = 0;
	int err = 0;

	*ret = (struct psc_pattern){ .policy.word = ~0ULL };
	pattern += strspn(pattern, "/");
	for (size_t len; !err && *pattern; pattern += len, pattern += strspn(pattern, "/")) {
		len = strcspn(pattern, "/");
		if (n == PSC_CGROUP_LEVELS - 1)
			return -ENAMETOOLONG;
		ret->starts[n++] = (__u16)c.len;
		err = compile_component(&c, pattern, len);
	}
	if (!err && unit) {
		ret->starts[1] = (__u16)c.len;
		return compile_component(&c, "?*.slice", strlen("?*.slice"));
	}
	ret->components = n;
	return err;
}

static __u8 value_of(const struct psc_setting *setting)
{
	return setting->revocable && setting->value == PSC_SCOPE_NO_ATTACH ?
		PSC_SCOPE_NOT_FINAL : (__u8)setting->value;
}

/* The names come in an order in which the narrower is behind the wider. */
union psc_policy psc_pattern_policy(const struct psc_setting settings[PSC_NAMES])
{
	union psc_policy policy = { .word = ~0ULL };

	for (size_t i = 0; i < PSC_NAMES; i++) {
		__u8 *values = psc_names[i].floor ? policy.floor : policy.scope;

		for (unsigned int mode = 0; settings[i].present && mode < PSC_MODE_SLOTS; mode++)
			if (psc_names[i].modes & PSC_MODE_BIT(mode))
				values[mode] = value_of(&settings[i]);
	}
	return policy;
}

__u32 psc_settings_sticky(const struct psc_setting settings[PSC_NAMES])
{
	__u32 sticky = 0;

	for (size_t i = 0; i < PSC_NAMES; i++) {
		if (!settings[i].present || psc_names[i].floor)
			continue;
		sticky &= ~psc_names[i].modes;
		if (settings[i].sticky)
			sticky |= psc_names[i].modes;
	}
	return sticky;
}

bool psc_pattern_locks(const union psc_policy *policy)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (policy->scope[mode] == PSC_SCOPE_NO_ATTACH ||
		    (policy->floor[mode] && policy->floor[mode] != PSC_SCOPE_INHERIT))
			return true;
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of names, values and words, and the requests that they stand for. */
#include "names.h"

#include <errno.h>

#include "ptracescope_policy.h"
#include "util.h"

static const char *const scope_words[] = {
	[PSC_SCOPE_CLASSIC] = "classic",
	[PSC_SCOPE_RESTRICTED] = "restricted",
	[PSC_SCOPE_ADMIN_ONLY] = "admin-only",
	[PSC_SCOPE_NO_ATTACH] = "no-attach",
	[PSC_SCOPE_SIBLINGS] = "siblings",
};

static const char *const switch_words[] = { "off", "on" };

static const char *const mode_words[PSC_MODE_SLOTS] = {
	[PSC_MODE_ATTACH] = "attach",
	[PSC_MODE_TRACEME] = "traceme",
	[PSC_MODE_READ] = "read",
	[PSC_MODE_BOUNDARY] = "boundary",
};

static const struct {
	const char *word, *text;
	bool refuses;
} reasons[PSC_REASONS] = {
#define REASON(id, refuses, word, text) [PSC_REASON_##id] = { word, text, refuses },
	PSC_REASON_TABLE(REASON)
#undef REASON
};

static const struct {
	const char *word, *text;
} guards[PSC_GUARDS] = {
#define GUARD(id, word, text) [PSC_GUARD_##id] = { word, text },
	PSC_GUARD_TABLE(GUARD)
#undef GUARD
};

const struct psc_name psc_names[PSC_NAMES] = {
#define NAME(id, ...) [PSC_NAME_ID_##id] = { __VA_ARGS__ },
	PSC_NAME_TABLE(NAME)
#undef NAME
};

static const char *word_at(const char *const *words, size_t n, unsigned int i)
{
	return i < n ? words[i] : NULL;
}

const char *psc_scope_word(unsigned int scope)
{
	return word_at(scope_words, ARRAY_SIZE(scope_words), scope);
}

bool psc_scope_is_stricter(unsigned int a, unsigned int b)
{
	return psc_scope_rank(a) > psc_scope_rank(b);
}

const char *psc_mode_word(unsigned int mode)
{
	return word_at(mode_words, ARRAY_SIZE(mode_words), mode);
}

int psc_mode_parse(const char *text)
{
	for (int mode = 0; mode < PSC_MODES; mode++)
		if (streq(text, mode_words[mode]))
			return mode;
	return -EINVAL;
}

const char *psc_reason_word(unsigned int reason)
{
	return reason < PSC_REASONS ? reasons[reason].word : "unknown";
}

const char *psc_reason_text(unsigned int reason)
{
	return reason < PSC_REASONS ? reasons[reason].text : "unknown reason";
}

bool psc_reason_refuses(unsigned int reason)
{
	return reason < PSC_REASONS && reasons[reason].refuses;
}

const char *psc_guard_word(unsigned int guard)
{
	return guard < PSC_GUARDS ? guards[guard].word : "unknown";
}

const char *psc_guard_text(unsigned int guard)
{
	return guard < PSC_GUARDS ? guards[guard].text : "do what a guard prevents";
}

/* Without a 0 in front, which elsewhere would make an octal number. */
static int parse_number(const char *text, unsigned int *ret)
{
	return text[0] == '0' && text[1] ? -EINVAL : psc_parse_u32(text, ret);
}

int psc_scope_parse(const char *text, unsigned int *ret)
{
	unsigned int value;
	int err;

	for (value = 0; value <= PSC_SCOPE_MAX; value++) {
		if (streq(text, scope_words[value])) {
			*ret = value;
			return 0;
		}
	}
	err = parse_number(text, &value);
	if (err)
		return err;
	if (value > PSC_SCOPE_MAX)
		return -ERANGE;
	*ret = value;
	return 0;
}

bool psc_name_covers(const struct psc_name *new, const struct psc_name *old)
{
	return new->floor == old->floor && !(old->modes & ~new->modes);
}

const struct psc_name *psc_name_find(const char *name)
{
	for (size_t i = 0; i < PSC_NAMES; i++)
		if (streq(name, psc_names[i].name))
			return &psc_names[i];
	return NULL;
}

const struct psc_name *psc_name_of_mode(enum psc_mode mode)
{
	const struct psc_name *name = psc_names;

	while (name->modes != PSC_MODE_BIT(mode))
		name++;
	return name;
}

const struct psc_name *psc_name_find_short(const char *name)
{
	for (size_t i = 0; i < PSC_NAMES; i++)
		if (streq(name, strrchr(psc_names[i].name, '.') + 1))
			return &psc_names[i];
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (streq(name, mode_words[mode]))
			return psc_name_of_mode((enum psc_mode)mode);
	return psc_name_find(name);
}

static bool is_scope(const struct psc_name *name)
{
	return name->max == PSC_SCOPE_MAX;
}

int psc_value_parse(const struct psc_name *name, const char *text, bool cgroup,
		    unsigned int *ret)
{
	bool siblings = streq(text, scope_words[PSC_SCOPE_SIBLINGS]);
	unsigned int value;
	int err;

	if (siblings && is_scope(name) && cgroup) {
		*ret = PSC_SCOPE_SIBLINGS;
		return 0;
	}
	if (siblings)
		return -ERANGE;
	if (is_scope(name))
		return psc_scope_parse(text, ret);
	for (value = 0; value < ARRAY_SIZE(switch_words); value++) {
		if (streq(text, switch_words[value])) {
			*ret = value;
			return 0;
		}
	}
	err = parse_number(text, &value);
	if (err)
		return err;
	if (value > name->max)
		return -ERANGE;
	*ret = value;
	return 0;
}

bool psc_value_fits_name(const struct psc_name *name, unsigned int value, bool cgroup)
{
	return value <= name->max || (cgroup && is_scope(name) && value == PSC_SCOPE_SIBLINGS);
}

const char *psc_value_word(const struct psc_name *name, unsigned int value)
{
	return is_scope(name) ? psc_scope_word(value) :
				word_at(switch_words, ARRAY_SIZE(switch_words), value);
}

const char *psc_value_text(unsigned int value)
{
	static const char *const digits[] = { "0", "1", "2", "3" };

	return value <= PSC_SCOPE_MAX ? digits[value] : psc_scope_word(value);
}

const char *psc_value_label(const struct psc_name *name, unsigned int value,
			    char buf[PSC_LABEL_SIZE])
{
	const char *word = psc_value_word(name, value);

	if (value <= name->max)
		snprintf(buf, PSC_LABEL_SIZE, "%u (%s)", value, word);
	else
		snprintf(buf, PSC_LABEL_SIZE, "%s", word ? word : "?");
	return buf;
}

const char *psc_value_list(const struct psc_name *name, bool cgroup, char buf[PSC_VALUES_SIZE])
{
	size_t len = 0;

	for (unsigned int i = 0; i <= name->max; i++)
		len += (size_t)snprintf(buf + len, PSC_VALUES_SIZE - len, "%s%u (%s)",
					i ? ", " : "", i, psc_value_word(name, i));
	if (cgroup && is_scope(name))
		snprintf(buf + len, PSC_VALUES_SIZE - len, ", %s",
			 psc_scope_word(PSC_SCOPE_SIBLINGS));
	return buf;
}

unsigned int psc_name_get(const struct psc_name *name, const union psc_policy *policy)
{
	unsigned int lowest = PSC_SCOPE_MAX;

	if (!name->floor)
		return policy->scope[name->mode];
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if ((name->modes & PSC_MODE_BIT(mode)) &&
		    psc_scope_rank(policy->floor[mode]) < psc_scope_rank(lowest))
			lowest = policy->floor[mode];
	return lowest;
}

unsigned int psc_policy_highest_floor(const union psc_policy *policy, __u32 modes)
{
	unsigned int floor = 0;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if ((modes & PSC_MODE_BIT(mode)) &&
		    psc_scope_rank(policy->floor[mode]) > psc_scope_rank(floor))
			floor = policy->floor[mode];
	return floor;
}

const struct psc_name *psc_name_with_floor(const union psc_policy *policy)
{
	for (size_t i = 0; i < PSC_NAMES; i++)
		if (psc_policy_highest_floor(policy, psc_names[i].modes))
			return &psc_names[i];
	return NULL;
}

/* In the request it is a byte; what does not fit into one is no scope either. */
static union psc_policy want(unsigned int value)
{
	return PSC_WANT((__u8)(value < PSC_SCOPE_INHERIT ? value : PSC_SCOPE_INHERIT));
}

struct psc_request psc_request_set(__u32 modes, unsigned int value)
{
	return (struct psc_request){
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = modes, .want = want(value),
	};
}

struct psc_request psc_request_raise(__u32 modes, unsigned int value)
{
	return (struct psc_request){
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .raise = modes, .want = want(value),
	};
}

struct psc_request psc_request_unset(__u32 modes)
{
	return (struct psc_request){ .abi = PSC_ABI, .op = PSC_OP_CHANGE, .unset = modes };
}

struct psc_request psc_name_request(const struct psc_name *name, unsigned int value)
{
	return name->floor ? psc_request_raise(name->modes, value) :
			     psc_request_set(name->modes, value);
}

bool psc_entry_exists(const union psc_policy *entry)
{
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (entry->scope[mode] != PSC_SCOPE_INHERIT || entry->floor[mode])
			return true;
	return false;
}

const char *psc_origin_word(unsigned int origin)
{
	static const char *const words[] = {
		[PSC_ORIGIN_ADMIN] = "admin",
		[PSC_ORIGIN_CONFIG] = "config",
		[PSC_ORIGIN_RUNTIME] = "runtime",
	};

	return word_at(words, ARRAY_SIZE(words), origin);
}

bool psc_name_may_be_revocable(const struct psc_name *name, unsigned int value)
{
	return !name->floor && is_scope(name) && value == PSC_SCOPE_NO_ATTACH;
}

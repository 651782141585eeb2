/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The strictest of all that a configuration says, for when a part of it is wrong: nobody knows
 * whether that part would have been the one to count.
 */
#include <errno.h>

#include "config_file.h"
#include "ptracescope_policy.h"
#include "util.h"

static int put(struct psc_setting *setting, unsigned int value, const char *path,
	       unsigned int line)
{
	char *source;

	if (setting->present && !psc_scope_is_stricter(value, setting->value))
		return 0;
	if (asprintf(&source, "%s:%u", path, line) < 0)
		return -ENOMEM;
	free(setting->source);
	/* What is only said because something else is wrong must not last until reboot. */
	*setting = (struct psc_setting){ true, value, source, .revocable = true };
	return 0;
}

/* A setting of a section made here, all of which have the same value. */
static const struct psc_setting *any_of(const struct psc_section *section)
{
	const struct psc_setting *setting = section->settings;

	while (!setting->present)
		setting++;
	return setting;
}

static int add_section(struct psc_config *config, const struct psc_section *like,
		       struct psc_section **ret)
{
	struct psc_section *sections = reallocarray(config->sections, config->n_sections + 1,
						    sizeof(*sections));
	struct psc_section new = {};

	if (!sections)
		return -ENOMEM;
	config->sections = sections;
	new.pattern = strdup(like->pattern);
	new.source = strdup(like->source);
	sections[config->n_sections++] = new;
	*ret = &sections[config->n_sections - 1];
	return new.pattern && new.source ? 0 : -ENOMEM;
}

/*
 * The section for a value of this pattern: a section has one value only, so that sections
 * can be put in the order of how strict they are, as several may match one cgroup.
 */
static int find_section(struct psc_config *config, const struct psc_section *like,
			unsigned int value, struct psc_section **ret)
{
	for (size_t s = 0; s < config->n_sections; s++) {
		*ret = &config->sections[s];
		if (streq((*ret)->pattern, like->pattern) && any_of(*ret)->value == value)
			return 0;
	}
	return add_section(config, like, ret);
}

int psc_conf_note(struct psc_conf *conf, const struct psc_section *section,
		  const struct psc_name *name, unsigned int value, const char *path,
		  unsigned int line)
{
	int err = 0;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS && !err; mode++) {
		struct psc_setting *settings = conf->strictest.settings;
		struct psc_section *new;

		if (!(name->modes & PSC_MODE_BIT(mode)))
			continue;
		if (section) {
			err = find_section(&conf->strictest, section, value, &new);
			settings = err ? NULL : new->settings;
		}
		if (!err)
			err = put(&settings[psc_name_of_mode(mode) - psc_names], value, path, line);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	unsigned int x = psc_scope_rank(any_of(a)->value), y = psc_scope_rank(any_of(b)->value);

	return (x > y) - (x < y);
}

/* Of sections that match, the later wins. */
void psc_conf_strictest(struct psc_config *config)
{
	if (config->n_sections)
		qsort(config->sections, config->n_sections, sizeof(*config->sections), compare);
}

void psc_config_keep_stricter(struct psc_config *config, const union psc_policy *policy)
{
	size_t kept = 0;

	for (size_t s = 0; s < config->n_sections; s++) {
		struct psc_section *section = &config->sections[s];
		bool any = false;

		for (size_t i = 0; i < PSC_NAMES; i++) {
			struct psc_setting *setting = &section->settings[i];

			if (setting->present &&
			    !psc_scope_is_stricter(setting->value, policy->scope[psc_names[i].mode])) {
				free(setting->source);
				*setting = (struct psc_setting){};
			}
			any |= setting->present;
		}
		if (any)
			config->sections[kept++] = *section;
		else
			psc_section_free(section);
	}
	config->n_sections = kept;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: files of sysctl.d, our own, and the kernel command line. The input is
 * their texts, one after another with a byte 0xff between them.
 */
#include "fuzz.h"

#include <errno.h>

#include "config.h"
#include "fake_root.h"
#include "log.h"
#include "pattern.h"
#include "plan.h"
#include "ptracescope_policy.h"
#include "util.h"

#define END 0xff

static const char *const files[] = {
	"/proc/cmdline", "/etc/sysctl.d/10-a.conf", "/usr/lib/sysctl.d/20-b.conf",
	"/etc/sysctl.conf", "/etc/ptracescope/ptracescope.conf",
	"/etc/ptracescope/conf.d/c.conf",
};

static struct fake_root root;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	psc_log_set_level(-1);
	fake_root_new(&root);
	return 0;
}

static void check_settings(const struct psc_setting settings[PSC_NAMES], bool cgroup, bool wrong)
{
	for (size_t i = 0; i < PSC_NAMES; i++) {
		if (!settings[i].present)
			continue;
		CHECK(psc_value_fits_name(&psc_names[i], settings[i].value, cgroup));
		CHECK(settings[i].source);
		/* Of a wrong configuration nothing is final. */
		if (wrong)
			CHECK(!psc_names[i].floor && (settings[i].value != PSC_SCOPE_NO_ATTACH ||
						      settings[i].revocable));
	}
}

static void check_error(int err, const char *error)
{
	CHECK(!err == !error);
	if (error)
		check_printable(error);
}

static void check_sections(struct psc_config *config, bool wrong)
{
	static const char *const paths[] = { "a", "a.slice/b.service", "user.slice/user-1.slice/x" };
	struct psc_setting settings[PSC_NAMES];
	struct psc_pattern pattern;

	for (size_t i = 0; i < config->n_sections; i++) {
		check_settings(config->sections[i].settings, true, wrong);
		psc_pattern_compile(config->sections[i].pattern, &pattern);
		pattern.policy = psc_pattern_policy(config->sections[i].settings);
		CHECK(!wrong || !psc_pattern_locks(&pattern.policy));
	}
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		psc_config_for_cgroup(config, paths[i], settings);
}

/* The first request, whatever the configuration is, is one that can be carried out. */
static void check_first(void)
{
	union psc_policy policy = {};
	struct psc_config config;
	struct psc_plan plan;
	char *error = NULL;
	int err = psc_plan_first(root.path, &config, &plan, &error);

	check_error(err, error);
	CHECK(plan.any);
	CHECK(psc_policy_change(&policy, &plan.request, NULL) == 0);
	if (err) {
		CHECK(!psc_policy_locked(&policy));
		CHECK(psc_scope_rank(policy.scope[PSC_MODE_ATTACH]) >=
		      psc_scope_rank(PSC_SCOPE_DEFAULT));
	}
	psc_config_free(&config);
	free(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct psc_config config;
	char *error = NULL;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t len;
		char *text = take_until(&in, END, &len);

		fake_root_bytes(&root, files[i], text, len);
		free(text);
	}
	err = psc_config_load(root.path, &config, &error);
	check_error(err, error);
	check_settings(config.settings, false, err);
	check_sections(&config, err);
	psc_config_free(&config);
	free(error);
	check_first();
	return 0;
}

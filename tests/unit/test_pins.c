/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/common/pins.h: the table of pins is what the BPF object has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "hooks.h"
#include "names.h"
#include "pins.h"
#include "ptracescope_state.h"
#include "ptracescope.skel.h"
#include "util.h"

static int open_object(void **state)
{
	*state = ptracescope_bpf__open();
	return *state ? 0 : -1;
}

static int close_object(void **state)
{
	ptracescope_bpf__destroy(*state);
	return 0;
}

/* Of a pin the map or program has the name, and a program the hook that the table says. */
static void test_objects(void **state)
{
	const struct ptracescope_bpf *skel = *state;

	for (int i = 0; i < PSC_PINS; i++) {
		const struct psc_pin *pin = &psc_pins[i];
		const struct bpf_program *prog =
			bpf_object__find_program_by_name(skel->obj, pin->name);
		char hook[64] = "";

		if (pin->kind == PSC_PIN_MAP) {
			if (!bpf_object__find_map_by_name(skel->obj, psc_pin_object(pin)))
				fail_msg("no map %s", pin->name);
			continue;
		}
		if (!prog)
			fail_msg("no program %s", pin->name);
		if (pin->hook)
			snprintf(hook, sizeof(hook), "%s/%s",
				 pin->attach_type == BPF_LSM_MAC ? "lsm" : "fentry", pin->hook);
		if (*hook && !streq(bpf_program__section_name(prog), hook) &&
		    (*bpf_program__section_name(prog) != '?' ||
		     !streq(bpf_program__section_name(prog) + 1, hook)))
			fail_msg("%s is for %s", pin->name, bpf_program__section_name(prog));
	}
}

static const struct psc_pin *pin_of(const char *program)
{
	for (int i = 0; i < PSC_PINS; i++)
		if (streq(psc_pins[i].name, program) ||
		    (psc_pins[i].before && streq(psc_pins[i].before, program)))
			return &psc_pins[i];
	return NULL;
}

/* A program without a pin would end with the daemon. */
static void test_programs(void **state)
{
	const struct ptracescope_bpf *skel = *state;
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
		if (!pin_of(bpf_program__name(prog)))
			fail_msg("no pin for %s", bpf_program__name(prog));
}

/* A hook of ours that others may decide under a floor is named here, with the reason. */
static void test_exclusive(void **state)
{
	static const char *const shared[] = {
		"task_free",		/* has no result; hooks.c has the kind that would skip ours */
		"unix_stream_connect",	/* only notes who connects */
		"bpf_prog_load",	/* of two names: hooks.c */
		"cgroup_attach_task",	/* fentry, has no result */
	};
	size_t n = 0;

	(void)state;
	for (int i = 0; i < PSC_PINS; i++)
		if (psc_pins[i].hook && !psc_pins[i].exclusive) {
			bool named = false;

			for (size_t k = 0; k < ARRAY_SIZE(shared); k++)
				named = named || streq(psc_pins[i].hook, shared[k]);
			if (!named)
				fail_msg("%s is not exclusive", psc_pins[i].hook);
			n++;
		}
	assert_int_equal(n, ARRAY_SIZE(shared));
	assert_true(psc_hooks_count() <= PSC_HOOKS_MAX);
}

/* Each row of the tables has what the journal, metrics and explain show. */
static void test_tables(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < PSC_REASONS; i++) {
		assert_string_not_equal(psc_reason_word(i), "unknown");
		assert_true(*psc_reason_text(i));
	}
	assert_string_equal(psc_reason_word(PSC_REASONS), "unknown");
	assert_false(psc_reason_refuses(PSC_REASONS));
	for (unsigned int i = 0; i < PSC_GUARDS; i++) {
		assert_string_not_equal(psc_guard_word(i), "unknown");
		assert_true(*psc_guard_text(i));
	}
	assert_string_equal(psc_guard_word(PSC_GUARDS), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, open_object, close_object);
}

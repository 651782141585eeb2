/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What decides an access: from facts to steps and words. */
#include "socket_client.h"

#include <sys/stat.h>

#include "explanations.h"
#include "fake_root.h"
#include "others.h"

static void assert_decides(const struct psc_explanation *e, bool refused, enum psc_step step)
{
	struct psc_explain_verdict verdict = psc_explain_judge(e);

	assert_int_equal(verdict.refused, refused);
	assert_string_equal(psc_step_word(verdict.decides), psc_step_word(step));
	assert_int_equal(verdict.results[step], !refused && step != PSC_STEP_SAME ?
			 PSC_STEP_PASSED : refused ? PSC_STEP_REFUSED : PSC_STEP_ALLOWED);
	for (enum psc_step later = step + 1; refused && later < PSC_STEPS; later++)
		assert_int_equal(verdict.results[later], PSC_STEP_NOT_ASKED);
}

static void test_ids(void **state)
{
	/* Each of the tracee's three of both kinds counts, and of the tracer's one. */
	static const size_t tracee[] = {
		offsetof(struct psc_explain_side, uid), offsetof(struct psc_explain_side, euid),
		offsetof(struct psc_explain_side, suid), offsetof(struct psc_explain_side, gid),
		offsetof(struct psc_explain_side, egid), offsetof(struct psc_explain_side, sgid),
	};

	(void)state;
	for (enum psc_mode mode = PSC_MODE_ATTACH; mode <= PSC_MODE_READ; mode += 2) {
		struct psc_explanation e = strangers(mode, 0);

		assert_decides(&e, false, PSC_STEP_SCOPE);
		for (size_t i = 0; i < ARRAY_SIZE(tracee); i++) {
			e = strangers(mode, 0);
			*(__u32 *)((char *)&e.tracee + tracee[i]) = 1001;
			assert_decides(&e, true, PSC_STEP_IDS);
			e.capable = 1;
			assert_decides(&e, false, PSC_STEP_SCOPE);
		}
		e = strangers(mode, 0);
		e.tracer.fsuid = e.tracer.fsgid = 1001;
		assert_int_equal(psc_explain_judge(&e).refused, mode == PSC_MODE_READ);
		e = strangers(mode, 0);
		e.tracer.uid = 1001;
		assert_int_equal(psc_explain_judge(&e).refused, mode == PSC_MODE_ATTACH);
		e = strangers(mode, 0);
		e.tracer.euid = e.tracer.suid = e.tracer.egid = e.tracer.sgid = 1001;
		assert_decides(&e, false, PSC_STEP_SCOPE);
	}
}

static void test_dumpable(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0);

	(void)state;
	for (e.dumpable = 0; e.dumpable <= 2; e.dumpable += 2) {
		e.dump_capable = 0;
		e.capable = 1;
		assert_decides(&e, true, PSC_STEP_DUMPABLE);
		e.dump_capable = 1;
		assert_decides(&e, false, PSC_STEP_SCOPE);
	}
}

static void test_commoncap(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0);

	(void)state;
	e.tracee.cap_permitted = 6;
	e.tracer.cap_permitted = 2;
	e.tracer.cap_effective = 6;
	assert_decides(&e, true, PSC_STEP_COMMONCAP);
	e.tracer.cap_permitted = 7;
	assert_decides(&e, false, PSC_STEP_SCOPE);
	e.tracer.cap_effective = 2;
	e.question.mode = PSC_MODE_READ;	/* by what it acts with */
	assert_decides(&e, true, PSC_STEP_COMMONCAP);
	e = strangers(PSC_MODE_ATTACH, 0);
	e.tracee.user_ns = 4026532000U;
	assert_decides(&e, true, PSC_STEP_COMMONCAP);
	e.capable = 1;
	assert_decides(&e, false, PSC_STEP_SCOPE);
}

/* ptrace(2) refuses more than the access check, which process_vm_readv(2) asks alone. */
static void test_ptrace_alone(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0);

	(void)state;
	e.traced_by = 300;
	assert_decides(&e, true, PSC_STEP_TRACED);
	assert_false(psc_explain_judge(&e).check_refused);
	e.question.mode = PSC_MODE_READ;
	assert_decides(&e, false, PSC_STEP_SCOPE);
	e = strangers(PSC_MODE_ATTACH, 0);
	e.tracee.is = PSC_SIDE_DEAD;
	assert_decides(&e, true, PSC_STEP_TRACED);
	e.tracee.is = PSC_SIDE_KTHREAD;
	assert_decides(&e, true, PSC_STEP_TARGET);
	e.tracee.is = 0;
	e.same_process = 1;
	assert_decides(&e, true, PSC_STEP_TARGET);
	assert_false(psc_explain_judge(&e).check_refused);
	e = strangers(PSC_MODE_READ, 3);
	e.tracee.uid = 1;
	e.same_process = 1;
	assert_decides(&e, false, PSC_STEP_SAME);
}

static void test_traceme(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_TRACEME, 1);

	(void)state;
	e.tracee.uid = 1001;	/* is not asked about */
	e.dumpable = 0;
	assert_decides(&e, false, PSC_STEP_SCOPE);
	e.parent = 7;
	assert_decides(&e, true, PSC_STEP_PARENT);
	e.traced_by = 7;
	assert_decides(&e, true, PSC_STEP_TRACED_FIRST);
	e = strangers(PSC_MODE_TRACEME, 2);
	assert_decides(&e, true, PSC_STEP_SCOPE);
	e.tracee.cap_permitted = 1;
	assert_decides(&e, true, PSC_STEP_COMMONCAP);
	e.capable = 1;
	e.holds = PSC_FACT_CAPABLE_TRACEE;
	assert_decides(&e, false, PSC_STEP_SCOPE);
}

static void test_fits(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 1);

	(void)state;
	assert_true(psc_explain_fits(&e));
	e.tracer.effective.policy.scope[PSC_MODE_ATTACH] = 2;
	assert_false(psc_explain_fits(&e));
	e.question.scope = 2;
	assert_true(psc_explain_fits(&e));
	e.question.boundary = 1;
	assert_false(psc_explain_fits(&e));
	e.question.mode = PSC_MODE_BOUNDARY;
	assert_false(psc_explain_fits(&e));
}

static void assert_text(const struct psc_explanation *e, enum psc_step step, const char *wanted)
{
	_cleanup_free_ char *text = psc_explain_step_text(e, step, &explained_paths);

	assert_non_null(text);
	assert_string_equal(text, wanted);
}

static void test_texts(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 1);

	(void)state;
	assert_text(&e, PSC_STEP_SCOPE, "the tracee is at attach scope 1 (restricted) by the global "
		    "policy, the tracer is at attach scope 1 (restricted) by the global policy; the "
		    "tracer is no ancestor of the tracee, the tracee has declared nobody "
		    "(PR_SET_PTRACER), and the tracer does not have CAP_SYS_PTRACE in the tracee's "
		    "user namespace");
	e.declared = PSC_DECLARED_DEAD;
	e.tracee.effective.scope_from[PSC_MODE_ATTACH] = 2;
	e.tracee.effective.policy.floor[PSC_MODE_ATTACH] = 1;
	assert_text(&e, PSC_STEP_SCOPE, "the tracee is at attach scope 1 (restricted) by the cgroup "
		    "/a with the floor 1 (restricted), the tracer is at attach scope 1 (restricted) "
		    "by the global policy; the tracer is no ancestor of the tracee, the process that the tracee "
		    "has declared (PR_SET_PTRACER) has ended, and the tracer does not have "
		    "CAP_SYS_PTRACE in the tracee's user namespace");
	e.tracee.uid = 0;
	assert_text(&e, PSC_STEP_IDS, "the tracer's real uid and gid are 1000 and 1000, the tracee's "
		    "real, effective and saved uids 0, 1000, 1000 and gids 1000, 1000, 1000; the "
		    "tracer does not have CAP_SYS_PTRACE in the tracee's user namespace");
	e.traced_by = 7;
	assert_text(&e, PSC_STEP_TRACED, "process 7 traces the tracee already, and there is one "
		    "tracer only");
	for (enum psc_step step = 0; step < PSC_STEPS; step++) {
		_cleanup_free_ char *text = psc_explain_step_text(&e, step, &explained_paths);

		assert_non_null(text);
		assert_true(*text);
	}
}

/* Also on a way that somebody would go who has no remedy. */
static void assert_refusing_too(const struct psc_explanation *e, const char *wanted)
{
	struct psc_explain_verdict verdict = psc_explain_judge(e);
	char text[256] = "";

	for (enum psc_step step = 0; step < PSC_STEPS; step++)
		if (psc_explain_refuses_too(e, &verdict, step))
			strcat(strcat(text, psc_step_word(step)), " ");
	assert_string_equal(text, wanted);
}

static void test_refusing_too(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 1);

	(void)state;
	assert_refusing_too(&e, "");
	e.traced_by = 7;
	assert_refusing_too(&e, "traced ");
	e.dumpable = 0;
	assert_refusing_too(&e, "ptracescope traced ");
	e = strangers(PSC_MODE_ATTACH, 0);
	e.tracee.is = PSC_SIDE_DEAD;
	assert_refusing_too(&e, "");
	e = strangers(PSC_MODE_ATTACH, 1);
	e.tracee.is = PSC_SIDE_DEAD;
	assert_refusing_too(&e, "traced ");
	assert_text(&e, PSC_STEP_TRACED, "the tracee has ended, and is a zombie until its parent waits "
		    "for it");
	e.tracee.is |= PSC_SIDE_KTHREAD;	/* which says it all */
	assert_refusing_too(&e, "");
	assert_text(&e, PSC_STEP_TARGET, "the tracee is a kernel thread");
	e = strangers(PSC_MODE_ATTACH, 0);
	e.traced_by = 0;
	assert_refusing_too(&e, "");
}

/* A process that keeps the setting of a cgroup which it has left, and where it is told. */
static void test_texts_of_cgroups_left(void **state)
{
	static const struct {
		__u64 own, from;
		const char *source;
	} cases[] = {
		{ 1, 0, " by the global policy" },
		{ 2, 2, " by the cgroup /a" },
		{ 5, 2, " by the cgroup /a" },
		{ 6, 2, ", kept from the cgroup /a, which it has left" },
		{ 1, 5, ", kept from the cgroup /a/b, which it has left" },
		{ 2, 5, ", kept from the cgroup /a/b, which it has left" },
		{ 2, 9, ", kept from a cgroup that it has left (id 9)" },
		{ 2, PSC_SOURCE_SEVERAL, ", kept from cgroups that it has left" },
		{ 8, 9, " by the cgroup with the id 9" },	/* nobody can tell */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct psc_explanation e = strangers(PSC_MODE_ATTACH, 1);
		char wanted[512];

		e.tracee.cgroup = cases[i].own;
		e.tracee.effective.scope_from[PSC_MODE_ATTACH] = cases[i].from;
		snprintf(wanted, sizeof(wanted), "the tracee is at attach scope 1 (restricted)%s, the "
			 "tracer is at attach scope 1 (restricted) by the global policy; the tracer is "
			 "no ancestor of the tracee, the tracee has declared nobody (PR_SET_PTRACER), "
			 "and the tracer does not have CAP_SYS_PTRACE in the tracee's user namespace",
			 cases[i].source);
		assert_text(&e, PSC_STEP_SCOPE, wanted);
	}
}

static void test_texts_of_user_namespaces(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0);

	(void)state;
	e.capable = 1;
	e.tracee.user_ns = 4026532000U;
	e.tracee.ns_level = 1;
	e.tracee.ns_owner = 1000;
	assert_text(&e, PSC_STEP_COMMONCAP, "they are in different user namespaces; the tracer has "
		    "CAP_SYS_PTRACE in the tracee's user namespace (its effective user ID owns that "
		    "namespace)");
	assert_text(&e, PSC_STEP_IDS, "as the initial user namespace counts them, the tracer's real "
		    "uid and gid are 1000 and 1000, the tracee's real, effective and saved uids 1000, "
		    "1000, 1000 and gids 1000, 1000, 1000; the tracer has CAP_SYS_PTRACE in the "
		    "tracee's user namespace (its effective user ID owns that namespace)");
	e.tracer.cap_effective = 1ULL << 19;	/* CAP_SYS_PTRACE */
	assert_text(&e, PSC_STEP_COMMONCAP, "they are in different user namespaces; the tracer has "
		    "CAP_SYS_PTRACE in the tracee's user namespace");
}

/* ---- others ---- */

static void assert_other(const char *root, const struct psc_explanation *e, const char *module,
			 const char *state, int may_refuse)
{
	json_t *others = psc_others(root, e), *other;
	size_t i;

	assert_true(json_is_array(others));
	json_array_foreach(others, i, other) {
		if (!streq(json_string_value(json_object_get(other, "module")), module))
			continue;
		assert_string_equal(json_string_value(json_object_get(other, "state")), state);
		assert_int_equal(json_is_true(json_object_get(other, "may_refuse")), may_refuse);
		json_decref(others);
		return;
	}
	json_decref(others);
	assert_null(state);
}

static void test_others(void **state)
{
	struct fake_root root;
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 1);

	(void)state;
	fake_root_new(&root);
	assert_other(root.path, &e, "unknown", "/sys/kernel/security/lsm cannot be read, so other "
		     "modules may be there", true);
	fake_root_write(&root, "/sys/kernel/security/lsm", "capability,landlock,yama,apparmor,bpf");
	fake_root_write(&root, "/proc/sys/kernel/yama/ptrace_scope", "1\n");
	fake_root_write(&root, "/proc/100/attr/apparmor/current", "unconfined\n");
	fake_root_write(&root, "/proc/200/attr/current", "unconfined\n");
	assert_other(root.path, &e, "yama", "kernel.yama.ptrace_scope is 1", true);
	assert_other(root.path, &e, "apparmor", "the tracer is \"unconfined\", the tracee "
		     "\"unconfined\"", false);
	assert_other(root.path, &e, "landlock", "the tracer lacks no_new_privs, and is "
		     "restricted only if it had CAP_SYS_ADMIN", false);
	assert_other(root.path, &e, "selinux", NULL, false);
	assert_other(root.path, &e, "seccomp", NULL, false);
	assert_other(root.path, &e, "unknown", NULL, false);
	e.tracer.is = PSC_SIDE_FILTERED | PSC_SIDE_NO_NEW_PRIVS;
	assert_other(root.path, &e, "seccomp", "a filter on the tracer may refuse the system call",
		     true);
	assert_other(root.path, &e, "landlock", "the tracer has no_new_privs, and may have "
		     "restricted itself", true);
	fake_root_write(&root, "/proc/200/attr/apparmor/current", "usr.bin.x (enforce)\n");
	assert_other(root.path, &e, "apparmor", "the tracer is \"unconfined\", the tracee "
		     "\"usr.bin.x (enforce)\"", true);
	e.question.mode = PSC_MODE_TRACEME;
	assert_other(root.path, &e, "yama", "kernel.yama.ptrace_scope is 1", false);
	e.question.mode = PSC_MODE_READ;
	assert_other(root.path, &e, "yama", NULL, false);
	fake_root_write(&root, "/sys/kernel/security/lsm", "capability,selinux");
	fake_root_write(&root, "/sys/fs/selinux/enforce", "1");
	fake_root_write(&root, "/proc/100/attr/current", "a_t");
	fake_root_write(&root, "/proc/200/attr/current", "b_t");
	assert_other(root.path, &e, "selinux", "the tracer is \"a_t\", the tracee \"b_t\"", true);
	fake_root_write(&root, "/sys/fs/selinux/enforce", "0");
	assert_other(root.path, &e, "selinux", "the tracer is \"a_t\", the tracee \"b_t\"; not "
		     "enforcing", false);
	fake_root_free(&root);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_ids),
		TEST(test_dumpable),
		TEST(test_commoncap),
		TEST(test_ptrace_alone),
		TEST(test_traceme),
		TEST(test_fits),
		TEST(test_texts),
		TEST(test_refusing_too),
		TEST(test_texts_of_cgroups_left),
		TEST(test_texts_of_user_namespaces),
		TEST(test_others),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}

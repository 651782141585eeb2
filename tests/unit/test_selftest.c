/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proof of enforcement, where nothing enforces: against the plain kernel,
 * and against a seccomp filter that refuses in our place. What it asks of the
 * kernel side is answered here.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "nowait.h"
#include "plan.h"
#include "ptracescope_policy.h"
#include "selftest.h"
#include "util.h"
#include "yama.h"

static union psc_policy policy;
static int yama = -1;
static __u32 noted;		/* by the kernel side, of the two children */
static unsigned int changes, probed, ended;	/* proofs begun, and those over */
static void (*meanwhile)(void);	/* happens while a proof is under way */

int psc_kernel_own_policy(struct psc_kernel *kernel, union psc_policy *ret)
{
	(void)kernel;
	*ret = policy;
	return 0;
}

int psc_kernel_locked(struct psc_kernel *kernel)
{
	(void)kernel;
	return psc_policy_locked(&policy) != 0;
}

int psc_kernel_probe(struct psc_kernel *kernel, pid_t tracer, pid_t tracee)
{
	(void)kernel;
	if (!tracer) {
		ended++;
		return 0;
	}
	assert_int_not_equal(tracer, tracee);
	probed++;
	if (meanwhile)
		meanwhile();
	return 0;
}

int psc_kernel_proved(struct psc_kernel *kernel, __u32 *ret)
{
	(void)kernel;
	*ret = noted;
	return 0;
}

bool psc_kernel_ftrace(struct psc_kernel *kernel)
{
	(void)kernel;
	return true;
}

int psc_yama_scope(void)
{
	return yama;
}

static void on_changed(void *data)
{
	(void)data;
	changes++;
}

static sd_event *event;
static struct psc_selftest *selftest;

static int setup(void **state)
{
	sigset_t set;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	policy = (union psc_policy){ .scope = { PSC_SCOPE_ADMIN_ONLY } };
	yama = -1;
	noted = 0;
	changes = probed = ended = 0;
	meanwhile = NULL;
	return sd_event_new(&event) < 0 ||
		psc_selftest_new(event, NULL, on_changed, NULL, &selftest);
}

static int teardown(void **state)
{
	(void)state;
	psc_selftest_free(selftest);
	sd_event_unref(event);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

/* One proof, until both children are reaped. */
static void prove(void)
{
	psc_selftest_prove(selftest);
	while (waitid(P_ALL, 0, &(siginfo_t){}, WEXITED | WNOHANG | WNOWAIT) == 0)
		assert_true(sd_event_run(event, UINT64_MAX) >= 0);
	assert_int_equal(probed, ended);
}

static void test_not_refused(void **state)
{
	(void)state;
	assert_string_equal(psc_selftest_outcome(selftest, PSC_PROOF_ATTACH), "pending");
	for (int round = 0; round < 2; round++) {
		prove();
		assert_true(psc_selftest_failed(selftest));
		assert_int_equal(strncmp(psc_selftest_outcome(selftest, PSC_PROOF_ATTACH),
					 "failed: ", 8), 0);
	}
	assert_int_equal(changes, 2);	/* the first was that the others have nothing to prove */
	assert_int_equal(probed, 2);

	policy.scope[PSC_MODE_ATTACH] = PSC_SCOPE_CLASSIC;
	prove();
	assert_string_equal(psc_selftest_outcome(selftest, PSC_PROOF_ATTACH),
			    "nothing to prove at this scope");
	assert_int_equal(probed, 2);
}

static void test_yama_first(void **state)
{
	static const struct { int yama; __u8 scope; bool tried; } cases[] = {
		{ 0, 1, true }, { 1, 1, false }, { 1, 2, true }, { 1, 3, true },
		{ 2, 3, false }, { 3, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		probed = ended = 0;
		yama = cases[i].yama;
		policy.scope[PSC_MODE_ATTACH] = cases[i].scope;
		prove();
		assert_int_equal(probed, 1);
		assert_int_equal(psc_selftest_failed(selftest), cases[i].tried);
	}
}

static void lower(void)
{
	policy.scope[PSC_MODE_ATTACH] = PSC_SCOPE_CLASSIC;
}

static void test_changed_meanwhile(void **state)
{
	(void)state;
	meanwhile = lower;
	prove();
	assert_string_equal(psc_selftest_outcome(selftest, PSC_PROOF_ATTACH),
			    "nothing to prove at this scope");
}

static void ask_again(void)
{
	meanwhile = NULL;
	psc_selftest_prove(selftest);
	psc_selftest_prove(selftest);
}

static void test_asked_meanwhile(void **state)
{
	(void)state;
	meanwhile = ask_again;
	prove();
	assert_int_equal(probed, 2);
	assert_true(psc_selftest_failed(selftest));
}

/* From here on PTRACE_SEIZE fails with EPERM; the leak sanitizer needs PTRACE_ATTACH. */
static int refuse_ptrace(void **state)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_SEIZE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 || setup(state);
}

static void test_refused(void **state)
{
	(void)state;
	prove();
	assert_int_equal(strncmp(psc_selftest_outcome(selftest, PSC_PROOF_ATTACH), "cannot tell: ",
				 13), 0);
	assert_false(psc_selftest_failed(selftest));

	/* A refusal that is noted of others only is none of ours. */
	noted = PSC_MODE_BIT(PSC_MODE_READ);
	prove();
	assert_int_equal(strncmp(psc_selftest_outcome(selftest, PSC_PROOF_ATTACH), "cannot tell: ",
				 13),
			 0);

	noted = PSC_MODE_BIT(PSC_MODE_ATTACH);
	prove();
	assert_string_equal(psc_selftest_outcome(selftest, PSC_PROOF_ATTACH), "ok");
}

/* Declarations: the call has to succeed, and to be recorded. */
static void test_declared(void **state)
{
	bool answered = prctl(PR_SET_PTRACER, 0, 0, 0, 0) == 0;	/* by a Yama of this machine */

	(void)state;
	prove();
	assert_string_equal(psc_selftest_outcome(selftest, PSC_PROOF_DECLARED),
			    "failed: PR_SET_PTRACER has no effect");
	noted = PSC_PROVED_DECLARED;
	prove();
	assert_string_equal(psc_selftest_outcome(selftest, PSC_PROOF_DECLARED),
			    answered ? "ok" : "failed: PR_SET_PTRACER has no effect");
}

/* The other modes, at scopes at which they are refused. */
static void test_modes(void **state)
{
	static const enum psc_proof modes[] = { PSC_PROOF_TRACEME, PSC_PROOF_READ };

	(void)state;
	policy = (union psc_policy){ .scope = { 0, PSC_SCOPE_RESTRICTED, 0 } };
	prove();
	assert_string_equal(psc_selftest_outcome(selftest, PSC_PROOF_TRACEME),
			    "nothing to prove at this scope");
	assert_int_equal(probed, 0);
	policy = (union psc_policy){ .scope = { 0, PSC_SCOPE_ADMIN_ONLY, PSC_SCOPE_RESTRICTED } };
	prove();
	assert_int_equal(probed, 1);
	assert_true(psc_selftest_failed(selftest));
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		assert_int_equal(strncmp(psc_selftest_outcome(selftest, modes[i]), "failed: ", 8),
				 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_yama_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_declared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		/* The last: it cannot be taken back. */
		cmocka_unit_test_setup_teardown(test_refused, refuse_ptrace, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

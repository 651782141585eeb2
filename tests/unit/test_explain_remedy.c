/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would allow an access that is refused. */
#include "socket_client.h"

#include "explanations.h"

static void boundary(struct psc_explanation *e)
{
	e->question.boundary = e->tracee.effective.policy.scope[PSC_MODE_BOUNDARY] = 1;
	e->holds &= ~PSC_FACT_INSIDE;
}

/* The remedies, one a line; what the tracee has to do has a "*" in front. */
static void assert_remedies(const struct psc_explanation *e, const char *wanted)
{
	struct psc_remedies remedies;
	char text[1024] = "";

	assert_int_equal(psc_explain_remedies(e, 100, 200, &explained_paths, &remedies), 0);
	for (size_t i = 0; i < remedies.n; i++) {
		if (remedies.items[i].is_call)
			strcat(text, "*");
		strcat(text, remedies.items[i].text);
		if (remedies.items[i].note)
			strcat(strcat(text, " # "), remedies.items[i].note);
		strcat(text, "\n");
	}
	psc_remedies_free(&remedies);
	assert_string_equal(text, wanted);
}

#define BY_ROOT " # another tracer, run by root"
#define FOR_ALL " # for all processes of the system"

static void test_remedies_for_scopes(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0);

	(void)state;
	assert_remedies(&e, "");
	e = strangers(PSC_MODE_ATTACH, 1);
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n*prctl(PR_SET_PTRACER, 100)\n"
			"sudo ptracescopectl set kernel.ptracescope.attach_scope=0" FOR_ALL "\n");
	e = strangers(PSC_MODE_ATTACH, 2);	/* a declaration does not count */
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n"
			"sudo ptracescopectl set kernel.ptracescope.attach_scope=0" FOR_ALL "\n");
	e.holds |= PSC_FACT_ANCESTOR;	/* no lower than needed */
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n"
			"sudo ptracescopectl set kernel.ptracescope.attach_scope=1" FOR_ALL "\n");
	e.tracer.effective.policy.floor[PSC_MODE_ATTACH] = 2;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n");
	e = strangers(PSC_MODE_ATTACH, 3);
	e.holds |= PSC_FACT_CAPABLE_TRACEE;
	assert_remedies(&e, "sudo ptracescopectl set kernel.ptracescope.attach_scope=2" FOR_ALL "\n");
	e.tracee.effective.policy.floor[PSC_MODE_ATTACH] = 3;
	assert_remedies(&e, "");
	e = strangers(PSC_MODE_READ, 2);
	assert_remedies(&e, "sudo cat /proc/200/maps" BY_ROOT "\n"
			"sudo ptracescopectl set kernel.ptracescope.read_scope=0" FOR_ALL "\n");
	e = strangers(PSC_MODE_TRACEME, 2);
	assert_remedies(&e, "sudo gdb --args PROGRAM # PROGRAM then runs as root\n"
			"sudo ptracescopectl set kernel.ptracescope.traceme_scope=1" FOR_ALL "\n");
}

static void test_remedies_for_cgroups(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0);

	(void)state;
	e.question.scope = e.tracee.effective.policy.scope[PSC_MODE_ATTACH] = 2;
	e.tracee.cgroup = e.tracer.cgroup = 3;
	e.tracee.effective.scope_from[PSC_MODE_ATTACH] = 3;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n"
			"sudo ptracescopectl cgroup set '/it'\\''s' kernel.ptracescope.attach_scope 0\n");
	/* Both, each where it is from. */
	e.tracer.effective.policy.scope[PSC_MODE_ATTACH] = 1;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n"
			"sudo ptracescopectl cgroup set '/it'\\''s' kernel.ptracescope.attach_scope 0"
			" && sudo ptracescopectl set kernel.ptracescope.attach_scope=0" FOR_ALL "\n");
	e.tracer.effective.scope_from[PSC_MODE_ATTACH] = 3;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n"
			"sudo ptracescopectl cgroup set '/it'\\''s' kernel.ptracescope.attach_scope 0\n");
	e.tracee.effective.scope_from[PSC_MODE_ATTACH] = 4;	/* whose path nobody knows */
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n");
	e = strangers(PSC_MODE_ATTACH, 0);
	boundary(&e);
	e.tracee.effective.scope_from[PSC_MODE_BOUNDARY] = 2;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n"
			"sudo ptracescopectl cgroup set '/a' kernel.ptracescope.cgroup_boundary 0\n");
	e.question.scope = 1;
	e.tracee.effective.policy.scope[PSC_MODE_ATTACH] = 1;
	e.tracer.effective.policy.scope[PSC_MODE_ATTACH] = 1;
	e.tracee.effective.scope_from[PSC_MODE_BOUNDARY] = 0;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n"
			"sudo ptracescopectl set kernel.ptracescope.cgroup_boundary=0"
			" && sudo ptracescopectl set kernel.ptracescope.attach_scope=0" FOR_ALL "\n");
	e.tracee.effective.policy.floor[PSC_MODE_BOUNDARY] = 1;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n");
}

#define RELEASE "sudo ptracescopectl cgroup release --pid "

/* A process that keeps the setting of a cgroup which it has left, or a boundary. */
static void test_remedies_for_who_has_left(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0), kept;

	(void)state;
	e.question.scope = e.tracee.effective.policy.scope[PSC_MODE_ATTACH] = 2;
	e.tracee.effective.scope_from[PSC_MODE_ATTACH] = 3;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n" RELEASE "200\n");
	kept = e;
	kept.tracee.effective.policy.floor[PSC_MODE_ATTACH] = 2;	/* what is locked stays */
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n");
	kept = e;
	kept.tracee.cgroup = 5;		/* where nobody knows what it would have */
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n");
	kept = e;
	kept.tracee.cgroup = 3;		/* it has left others, and would have no more than here */
	kept.tracee.effective.scope_from[PSC_MODE_ATTACH] = PSC_SOURCE_SEVERAL;
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n");
	kept.tracee.cgroup = 2;
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n" RELEASE "200\n");
	kept = e;
	kept.tracer.effective.policy.scope[PSC_MODE_ATTACH] = 2;	/* by the global policy */
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n");
	kept.tracer.effective.scope_from[PSC_MODE_ATTACH] = 3;		/* has left it, too */
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n" RELEASE "200 && " RELEASE "100\n");
	kept.tracee.effective = strangers(PSC_MODE_ATTACH, 0).tracee.effective;
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n" RELEASE "100\n");
	kept.traced_by = 7;
	assert_remedies(&kept, "");
	kept = strangers(PSC_MODE_ATTACH, 0);
	boundary(&kept);
	kept.tracee.effective.scope_from[PSC_MODE_BOUNDARY] = 3;
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n" RELEASE "200\n");
	kept.tracee.effective.policy.floor[PSC_MODE_BOUNDARY] = 1;
	assert_remedies(&kept, "sudo gdb -p 200" BY_ROOT "\n");
}

static void test_remedies_for_the_kernel(void **state)
{
	struct psc_explanation e = strangers(PSC_MODE_ATTACH, 0);

	(void)state;
	e.dumpable = 0;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n*prctl(PR_SET_DUMPABLE, 1)\n");
	e = strangers(PSC_MODE_ATTACH, 0);
	e.tracee.uid = e.tracee.euid = e.tracee.suid = 1001;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\nsudo -u '#1001' -g '#1000' gdb -p 200"
			" # another tracer, run by the tracee's user\n");
	e.tracee.cap_permitted = 1;		/* he would not have that */
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n");
	e = strangers(PSC_MODE_ATTACH, 1);	/* where he would be a stranger */
	e.tracee.uid = e.tracee.euid = e.tracee.suid = 1001;
	assert_remedies(&e, "sudo gdb -p 200" BY_ROOT "\n");
	e = strangers(PSC_MODE_ATTACH, 0);
	e.traced_by = 7;
	assert_remedies(&e, "");
	e = strangers(PSC_MODE_ATTACH, 0);
	e.tracee.is = PSC_SIDE_KTHREAD;
	assert_remedies(&e, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_remedies_for_scopes),
		TEST(test_remedies_for_cgroups),
		TEST(test_remedies_for_who_has_left),
		TEST(test_remedies_for_the_kernel),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("explain_remedy", tests, NULL, NULL);
}

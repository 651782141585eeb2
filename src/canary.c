/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two children without capabilities, of the same user, dumpable, siblings: one
 * just waits, the other attaches to it. Without us the kernel would allow that,
 * and with us it has no claim to it at any scope above 0. Both end at once; no
 * other process is touched.
 */
#include "canary.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "log.h"
#include "policy.h"
#include "util.h"

#define PERIOD_USEC (10 * 1000 * 1000ULL)	/* between proofs under a floor */
#define DEADLINE_USEC (5 * 1000 * 1000ULL)

/* The exit status of the probe: an errno, 0 when it could attach, or this. */
#define NOT_TRIED 255

enum outcome {
	PENDING,
	NOTHING,
	OTHER_MODULE,
	NO_ANSWER,
	FAILED,
	PROVED,
};

static const char *const outcome_texts[] = {
	[PENDING] = "pending",
	[NOTHING] = "nothing to prove at scope 0",
	[OTHER_MODULE] = "cannot tell: Yama or another security module refuses first",
	[NO_ANSWER] = "cannot tell: the attempt could not be made",
	[FAILED] = "failed: an attach that must be refused was not",
	[PROVED] = "ok",
};

struct child {
	pid_t pid;			/* 0: none */
	sd_event_source *source;
};

struct psc_canary {
	sd_event *event;
	struct psc_kernel *kernel;
	struct psc_reporter *reporter;
	void (*changed)(void *data);
	void *data;
	sd_event_source *next, *deadline;
	struct child bird, probe;
	bool again;			/* another proof was asked for meanwhile */
	union psc_policy policy;	/* under which it is being tried */
	__u64 before;			/* refusals until then */
	__u64 refusals;
	enum outcome outcome;
};

/* Without a claim to trace anybody, but not protected from being traced either. */
static int become_ordinary(pid_t parent)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capset, &header, none) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return -1;
	return 0;
}

/* Keep only @fd, as 0: somebody may take the descriptors of one that can be traced. */
static int keep_only(int fd)
{
	return dup2(fd, 0) < 0 || close_range(1, ~0U, 0) < 0 ? -1 : 0;
}

static void __attribute__((noreturn)) be_bird(pid_t parent, int ready_fd, __u32 scope)
{
	if (keep_only(ready_fd) || become_ordinary(parent))
		_exit(EXIT_FAILURE);
	/* From 2 on that means nothing to us, but it stops a Yama at 1 from
	 * answering in our place. It fails where there is nobody to ask. */
	if (scope >= PSC_SCOPE_ADMIN_ONLY)
		prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (write(0, "", 1) == 1)
		for (;;)
			pause();
	_exit(EXIT_FAILURE);
}

static void __attribute__((noreturn)) be_probe(pid_t parent, int ready_fd, pid_t bird)
{
	char byte;

	if (keep_only(ready_fd) || become_ordinary(parent) || read(0, &byte, 1) != 1)
		_exit(NOT_TRIED);
	/* Does not stop it; and the end of the tracer detaches. */
	_exit(ptrace(PTRACE_SEIZE, bird, 0, 0) < 0 ? errno & 0xff : 0);
}

static bool running(const struct psc_canary *canary)
{
	return canary->bird.pid || canary->probe.pid;
}

static void set_outcome(struct psc_canary *canary, enum outcome outcome)
{
	enum outcome old = canary->outcome;
	const char *text = outcome_texts[outcome];

	if (outcome == old)
		return;
	canary->outcome = outcome;
	if (outcome == FAILED)
		psc_log(LOG_CRIT, "ENFORCEMENT DOES NOT WORK: a test child of the daemon could be "
				  "attached to although scope %u is in force%s",
			canary->policy.scope[PSC_MODE_ATTACH], psc_ftrace_enabled() ? "" :
			"; kernel.ftrace_enabled is 0, set it to 1");
	else if (old == FAILED)
		psc_notice("enforcement was found not to work before; now: %s", text);
	else if (outcome == NO_ANSWER)
		psc_warning("proof of enforcement: %s", text);
	canary->changed(canary->data);
}

/* What the exit status of the probe shows. */
static enum outcome judge(struct psc_canary *canary, const siginfo_t *si)
{
	__u64 stats[PSC_STATS];

	if (si->si_code != CLD_EXITED)
		return NO_ANSWER;
	switch (si->si_status) {
	case 0:
		return FAILED;
	case EPERM:
		/* Whoever it was, was it us? */
		if (psc_kernel_stats(canary->kernel, stats))
			return NO_ANSWER;
		if (stats[PSC_STAT_REFUSED] == canary->before)
			return OTHER_MODULE;
		canary->refusals++;
		return PROVED;
	case EACCES:	/* SELinux and Smack */
		return OTHER_MODULE;
	}
	return NO_ANSWER;
}

static void arm_next(struct psc_canary *canary)
{
	if (psc_kernel_locked(canary->kernel) == 0)
		return;
	sd_event_source_set_time_relative(canary->next, PERIOD_USEC);
	sd_event_source_set_enabled(canary->next, SD_EVENT_ONESHOT);
}

/* One of the two has ended; go on when both have. */
static void child_ended(struct psc_canary *canary, struct child *child)
{
	child->source = sd_event_source_disable_unref(child->source);
	child->pid = 0;
	if (running(canary))
		return;
	if (canary->again)
		psc_canary_prove(canary);
	else
		arm_next(canary);
}

static int on_bird(sd_event_source *source, const siginfo_t *si, void *data)
{
	struct psc_canary *canary = data;

	(void)source;
	(void)si;
	child_ended(canary, &canary->bird);
	return 0;
}

static int on_probe(sd_event_source *source, const siginfo_t *si, void *data)
{
	struct psc_canary *canary = data;
	enum outcome outcome = judge(canary, si);
	union psc_policy now;

	(void)source;
	sd_event_source_set_enabled(canary->deadline, SD_EVENT_OFF);
	psc_reporter_own(canary->reporter, 0, 0);
	if (canary->bird.pid)
		kill(canary->bird.pid, SIGKILL);
	/* What was tried while the policy changed shows nothing. */
	if (psc_kernel_policy(canary->kernel, &now) || now.word != canary->policy.word)
		canary->again = true;
	else
		set_outcome(canary, outcome);
	child_ended(canary, &canary->probe);
	return 0;
}

static void kill_both(struct psc_canary *canary)
{
	if (canary->probe.pid)
		kill(canary->probe.pid, SIGKILL);
	if (canary->bird.pid)
		kill(canary->bird.pid, SIGKILL);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	kill_both(data);
	return 0;
}

static int on_next(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source;
	(void)usec;
	psc_canary_prove(data);
	return 0;
}

/* To be called right after fork(), also when it failed. Return: 0 or a negative errno. */
static int watch(struct psc_canary *canary, struct child *child, sd_event_child_handler_t handler)
{
	int err = -errno;

	if (child->pid < 0) {
		child->pid = 0;
		return err;
	}
	err = sd_event_add_child(canary->event, &child->source, child->pid, WEXITED, handler,
				 canary);
	if (err >= 0)
		return 0;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
	return err;
}

/* Start the two. Return: 0 or a negative errno. */
static int try_attach(struct psc_canary *canary)
{
	pid_t self = getpid();
	int fds[2], err;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	canary->bird.pid = fork();
	if (canary->bird.pid == 0)
		be_bird(self, fds[1], canary->policy.scope[PSC_MODE_ATTACH]);
	err = watch(canary, &canary->bird, on_bird);
	close(fds[1]);
	if (!err) {
		canary->probe.pid = fork();
		if (canary->probe.pid == 0)
			be_probe(self, fds[0], canary->bird.pid);
		err = watch(canary, &canary->probe, on_probe);
	}
	close(fds[0]);
	return err;
}

/* Would Yama refuse as well, and before us? Then a try would show nothing but fill its log. */
static bool yama_refuses(__u32 scope)
{
	int yama = psc_yama_scope();

	return yama >= PSC_SCOPE_ADMIN_ONLY ||
		(yama == PSC_SCOPE_RESTRICTED && scope == PSC_SCOPE_RESTRICTED);
}

void psc_canary_prove(struct psc_canary *canary)
{
	__u64 stats[PSC_STATS];
	__u32 scope, last = canary->policy.scope[PSC_MODE_ATTACH];

	canary->again = running(canary);
	if (canary->again)
		return;
	sd_event_source_set_enabled(canary->next, SD_EVENT_OFF);
	if (psc_kernel_policy(canary->kernel, &canary->policy) ||
	    psc_kernel_stats(canary->kernel, stats)) {
		set_outcome(canary, NO_ANSWER);
		arm_next(canary);
		return;
	}
	canary->before = stats[PSC_STAT_REFUSED];
	scope = canary->policy.scope[PSC_MODE_ATTACH];
	if (scope == PSC_SCOPE_CLASSIC)
		set_outcome(canary, NOTHING);
	else if (yama_refuses(scope))
		set_outcome(canary, OTHER_MODULE);
	else if (try_attach(canary))
		set_outcome(canary, NO_ANSWER);
	else if (scope != last && canary->outcome != FAILED)
		set_outcome(canary, PENDING);

	if (!canary->probe.pid) {
		kill_both(canary);
		arm_next(canary);
		return;
	}
	psc_reporter_own(canary->reporter, canary->probe.pid, canary->bird.pid);
	sd_event_source_set_time_relative(canary->deadline, DEADLINE_USEC);
	sd_event_source_set_enabled(canary->deadline, SD_EVENT_ONESHOT);
}

/* A timer that is not running yet. */
static int add_timer(struct psc_canary *canary, sd_event_source **ret,
		     sd_event_time_handler_t handler)
{
	int err = sd_event_add_time_relative(canary->event, ret, CLOCK_MONOTONIC, 0, 0, handler,
					     canary);

	return err < 0 ? err : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int psc_canary_new(sd_event *event, struct psc_kernel *kernel, struct psc_reporter *reporter,
		   void (*changed)(void *data), void *data, struct psc_canary **ret)
{
	struct psc_canary *canary = calloc(1, sizeof(*canary));
	int err;

	if (!canary)
		return -ENOMEM;
	*canary = (struct psc_canary){
		.event = sd_event_ref(event), .kernel = kernel, .reporter = reporter,
		.changed = changed, .data = data,
	};
	err = add_timer(canary, &canary->next, on_next);
	if (err >= 0)
		err = add_timer(canary, &canary->deadline, on_deadline);
	if (err < 0) {
		psc_canary_free(canary);
		return err;
	}
	*ret = canary;
	return 0;
}

const char *psc_canary_outcome(const struct psc_canary *canary)
{
	return outcome_texts[canary->outcome];
}

bool psc_canary_failed(const struct psc_canary *canary)
{
	return canary->outcome == FAILED;
}

__u64 psc_canary_refusals(const struct psc_canary *canary)
{
	return canary->refusals;
}

void psc_canary_free(struct psc_canary *canary)
{
	if (!canary)
		return;
	kill_both(canary);
	sd_event_source_disable_unref(canary->probe.source);
	sd_event_source_disable_unref(canary->bird.source);
	sd_event_source_disable_unref(canary->next);
	sd_event_source_disable_unref(canary->deadline);
	sd_event_unref(canary->event);
	free(canary);
}

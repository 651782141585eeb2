/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two children without capabilities, of the same user, dumpable, siblings: one just waits, the
 * other attaches to it and reads it, and has a child of its own ask to be traced. Without us the
 * kernel would allow that, and with us it has no claim to it at any scope above 0. The one that
 * waits declares a tracer before. All end at once; no other process is touched. That it was we
 * who refused and recorded is noted by the kernel side, which knows the two by pids and starts.
 */
#include "selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "nowait.h"
#include "ptracescope_policy.h"
#include "selftest_child.h"
#include "selftest_outcome.h"
#include "turn.h"
#include "util.h"

#define PERIOD_USEC (10 * 1000 * 1000ULL)	/* until the next one: under a floor, or without an answer */
#define DEADLINE_USEC (5 * 1000 * 1000ULL)

struct child {
	pid_t pid;			/* 0: none */
	sd_event_source *source;
};

struct psc_selftest {
	sd_event *event;
	struct psc_kernel *kernel;
	void (*changed)(void *data);
	void *data;
	sd_event_source *next, *deadline;
	struct child tracee, probe;
	int results_fd;			/* from the probe */
	bool again;			/* another proof was asked for meanwhile */
	union psc_policy policy;	/* under which it is being tried */
	bool tried[PSC_PROOFS];
	enum psc_outcome outcomes[PSC_PROOFS];
};

static bool running(const struct psc_selftest *selftest)
{
	return selftest->tracee.pid || selftest->probe.pid;
}

static void set_outcomes(struct psc_selftest *selftest, const enum psc_outcome outcomes[PSC_PROOFS])
{
	bool changed = false;

	for (int what = 0; what < PSC_PROOFS; what++) {
		enum psc_outcome old = selftest->outcomes[what];
		/* A failure is logged once for all proofs. */
		bool first = what == PSC_PROOF_ATTACH ||
			     selftest->outcomes[PSC_PROOF_ATTACH] != PSC_OUTCOME_FAILED;

		if (outcomes[what] == old)
			continue;
		changed = true;
		selftest->outcomes[what] = outcomes[what];
		psc_outcome_log(selftest->kernel, (enum psc_proof)what, old, outcomes[what],
				selftest->policy.scope[what], first);
	}
	if (changed)
		selftest->changed(selftest->data);
}

static void judge_all(struct psc_selftest *selftest, const struct psc_selftest_results *results,
		      enum psc_outcome outcomes[PSC_PROOFS])
{
	__u32 noted = 0;
	int err = psc_kernel_proved(selftest->kernel, &noted);

	for (int what = 0; what < PSC_PROOFS; what++) {
		__u8 result = err ? PSC_SELFTEST_NOT_TRIED : results->of[what];

		if (!selftest->tried[what])
			continue;
		if (what != PSC_PROOF_DECLARED)
			outcomes[what] = psc_outcome_of(result, noted & PSC_MODE_BIT(what));
		else if (result == PSC_SELFTEST_NOT_TRIED)
			outcomes[what] = PSC_OUTCOME_NO_ANSWER;
		else
			outcomes[what] = !result && noted & PSC_PROVED_DECLARED ?
				PSC_OUTCOME_PROVED : PSC_OUTCOME_FAILED_DECLARED;
	}
}

static bool unanswered(const struct psc_selftest *selftest)
{
	for (int what = 0; what < PSC_PROOFS; what++)
		if (selftest->outcomes[what] == PSC_OUTCOME_NO_ANSWER)
			return true;
	return false;
}

/* Prove again later: always under a floor, else when there was no answer. */
static void arm_next(struct psc_selftest *selftest)
{
	if (psc_kernel_locked(selftest->kernel) == 0 && !unanswered(selftest))
		return;
	sd_event_source_set_time_relative(selftest->next, PERIOD_USEC);
	sd_event_source_set_enabled(selftest->next, SD_EVENT_ONESHOT);
}

/* One of the two has ended; go on when both have. */
static void child_ended(struct psc_selftest *selftest, struct child *child)
{
	child->source = sd_event_source_disable_unref(child->source);
	child->pid = 0;
	if (running(selftest))
		return;
	if (selftest->again)
		psc_selftest_prove(selftest);
	else
		arm_next(selftest);
}

static int on_tracee(sd_event_source *source, const siginfo_t *si, void *data)
{
	struct psc_selftest *selftest = data;

	psc_turn_does("proof");
	(void)source;
	(void)si;
	child_ended(selftest, &selftest->tracee);
	return 0;
}

static int on_probe(sd_event_source *source, const siginfo_t *si, void *data)
{
	struct psc_selftest *selftest = data;
	enum psc_outcome outcomes[PSC_PROOFS];
	struct psc_selftest_results results;
	union psc_policy now;

	psc_turn_does("proof");
	(void)source;
	if (si->si_code != CLD_EXITED || si->si_status != EXIT_SUCCESS ||
	    read(selftest->results_fd, &results, sizeof(results)) != (ssize_t)sizeof(results))
		memset(&results, PSC_SELFTEST_NOT_TRIED, sizeof(results));
	psc_closep(&selftest->results_fd);
	selftest->results_fd = -1;
	memcpy(outcomes, selftest->outcomes, sizeof(outcomes));
	judge_all(selftest, &results, outcomes);
	sd_event_source_set_enabled(selftest->deadline, SD_EVENT_OFF);
	psc_kernel_probe(selftest->kernel, 0, 0);
	if (selftest->tracee.pid)
		kill(selftest->tracee.pid, SIGKILL);
	/* What was tried while the policy changed shows nothing. */
	if (psc_kernel_own_policy(selftest->kernel, &now) || now.word != selftest->policy.word)
		selftest->again = true;
	else
		set_outcomes(selftest, outcomes);
	child_ended(selftest, &selftest->probe);
	return 0;
}

static void kill_both(struct psc_selftest *selftest)
{
	if (selftest->probe.pid)
		kill(selftest->probe.pid, SIGKILL);
	if (selftest->tracee.pid)
		kill(selftest->tracee.pid, SIGKILL);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	psc_turn_does("proof");
	(void)source;
	(void)usec;
	kill_both(data);
	return 0;
}

static int on_next(sd_event_source *source, uint64_t usec, void *data)
{
	psc_turn_does("proof");
	(void)source;
	(void)usec;
	psc_selftest_prove(data);
	return 0;
}

/* To be called right after fork(), also when it failed. Return: 0 or a negative errno. */
static int watch(struct psc_selftest *selftest, struct child *child,
		 sd_event_child_handler_t handler)
{
	int err = -errno;

	if (child->pid < 0) {
		child->pid = 0;
		return err;
	}
	err = sd_event_add_child(selftest->event, &child->source, child->pid, WEXITED, handler,
				 selftest);
	if (err >= 0)
		return 0;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
	return err;
}

/* The pipes between us and the two. */
struct pipes {
	int go[2], ready[2], results[2];
};

static int open_pipes(struct pipes *pipes)
{
	if (pipe2(pipes->go, O_CLOEXEC) == 0) {
		if (pipe2(pipes->ready, O_CLOEXEC) == 0) {
			if (pipe2(pipes->results, O_CLOEXEC | O_NONBLOCK) == 0)
				return 0;
			close(pipes->ready[0]);
			close(pipes->ready[1]);
		}
		close(pipes->go[0]);
		close(pipes->go[1]);
	}
	return -errno;
}

/*
 * At scope 1 what is declared is allowed, so it must be withdrawn before the try. From
 * 2 on it means nothing to us, but it stops a Yama at 1 from answering in our place.
 */
static bool declaration_allows(const struct psc_selftest *selftest)
{
	const __u8 *scope = selftest->policy.scope;

	return scope[PSC_MODE_ATTACH] == PSC_SCOPE_RESTRICTED ||
		scope[PSC_MODE_READ] == PSC_SCOPE_RESTRICTED;
}

/* Start the two. Return: 0 or a negative errno. */
static int start_both(struct psc_selftest *selftest)
{
	struct pipes pipes;
	pid_t self = getpid();
	int err = open_pipes(&pipes);

	if (err)
		return err;
	selftest->tracee.pid = fork();
	if (selftest->tracee.pid == 0)
		psc_selftest_tracee(self, pipes.go[0], pipes.ready[1],
				    declaration_allows(selftest));
	err = watch(selftest, &selftest->tracee, on_tracee);
	if (!err) {
		selftest->probe.pid = fork();
		if (selftest->probe.pid == 0)
			psc_selftest_probe(self, selftest->tracee.pid, selftest->tried,
					   pipes.ready[0], pipes.results[1]);
		err = watch(selftest, &selftest->probe, on_probe);
	}
	if (!err)
		err = psc_kernel_probe(selftest->kernel, selftest->probe.pid, selftest->tracee.pid);
	if (!err)
		err = write(pipes.go[1], "", 1) == 1 ? 0 : -errno;
	close(pipes.go[0]);
	close(pipes.go[1]);
	close(pipes.ready[0]);
	close(pipes.ready[1]);
	close(pipes.results[1]);
	psc_closep(&selftest->results_fd);
	selftest->results_fd = pipes.results[0];
	return err;
}

/* What is being tried keeps its outcome till then: "pending" only for what is new, or good. */
static void keep_tried(const struct psc_selftest *selftest, bool same,
		       enum psc_outcome outcomes[PSC_PROOFS])
{
	for (int what = 0; what < PSC_PROOFS; what++)
		if (selftest->tried[what] && (same || psc_outcome_failed(selftest->outcomes[what])))
			outcomes[what] = selftest->outcomes[what];
}

void psc_selftest_prove(struct psc_selftest *selftest)
{
	union psc_policy last = selftest->policy;
	enum psc_outcome outcomes[PSC_PROOFS];
	bool any;

	selftest->again = running(selftest);
	if (selftest->again)
		return;
	sd_event_source_set_enabled(selftest->next, SD_EVENT_OFF);
	if (psc_kernel_own_policy(selftest->kernel, &selftest->policy)) {
		for (int what = 0; what < PSC_PROOFS; what++)
			outcomes[what] = PSC_OUTCOME_NO_ANSWER;
		set_outcomes(selftest, outcomes);
		arm_next(selftest);
		return;
	}
	any = psc_outcome_plan(selftest->policy.scope, outcomes);
	for (int what = 0; what < PSC_PROOFS; what++)
		selftest->tried[what] = outcomes[what] == PSC_OUTCOME_PENDING;
	if (any && start_both(selftest)) {
		kill_both(selftest);
		for (int what = 0; what < PSC_PROOFS; what++)
			if (selftest->tried[what])
				outcomes[what] = PSC_OUTCOME_NO_ANSWER;
	} else {
		keep_tried(selftest, last.word == selftest->policy.word, outcomes);
	}
	set_outcomes(selftest, outcomes);
	if (!running(selftest)) {
		arm_next(selftest);
		return;
	}
	sd_event_source_set_time_relative(selftest->deadline, DEADLINE_USEC);
	sd_event_source_set_enabled(selftest->deadline, SD_EVENT_ONESHOT);
}

/* A timer that is not running yet. */
static int add_timer(struct psc_selftest *selftest, sd_event_source **ret,
		     sd_event_time_handler_t handler)
{
	int err = sd_event_add_time_relative(selftest->event, ret, CLOCK_MONOTONIC, 0, 0, handler,
					     selftest);

	return err < 0 ? err : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int psc_selftest_new(sd_event *event, struct psc_kernel *kernel, void (*changed)(void *data),
		     void *data, struct psc_selftest **ret)
{
	struct psc_selftest *selftest = calloc(1, sizeof(*selftest));
	int err;

	if (!selftest)
		return -ENOMEM;
	*selftest = (struct psc_selftest){
		.event = sd_event_ref(event), .kernel = kernel,
		.changed = changed, .data = data, .results_fd = -1,
	};
	err = add_timer(selftest, &selftest->next, on_next);
	if (err >= 0)
		err = add_timer(selftest, &selftest->deadline, on_deadline);
	if (err < 0) {
		psc_selftest_free(selftest);
		return err;
	}
	*ret = selftest;
	return 0;
}

const char *psc_selftest_outcome(const struct psc_selftest *selftest, enum psc_proof what)
{
	return psc_outcome_text(selftest->outcomes[what]);
}

int psc_selftest_value(const struct psc_selftest *selftest, enum psc_proof what)
{
	enum psc_outcome outcome = selftest->outcomes[what];

	return outcome == PSC_OUTCOME_PROVED ? 1 : psc_outcome_failed(outcome) ? 0 : -1;
}

bool psc_selftest_failed(const struct psc_selftest *selftest)
{
	for (int what = 0; what < PSC_PROOFS; what++)
		if (selftest->outcomes[what] == PSC_OUTCOME_FAILED)
			return true;
	return false;
}

void psc_selftest_free(struct psc_selftest *selftest)
{
	if (!selftest)
		return;
	kill_both(selftest);
	psc_closep(&selftest->results_fd);
	sd_event_source_disable_unref(selftest->probe.source);
	sd_event_source_disable_unref(selftest->tracee.source);
	sd_event_source_disable_unref(selftest->next);
	sd_event_source_disable_unref(selftest->deadline);
	sd_event_unref(selftest->event);
	free(selftest);
}

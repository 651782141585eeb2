/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two children without capabilities, of the same user, dumpable, siblings: one just waits, the
 * other attaches to it and reads it, and has a child of its own ask to be traced. Without us the
 * kernel would allow that, and with us it has no claim to it at any scope above 0. The one that
 * waits declares a tracer before. All end at once; no other process is touched. That it was we
 * who refused and recorded is noted by the kernel side, which knows the two by pids and starts.
 */
#include "canary.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "canary_child.h"
#include "canary_outcome.h"
#include "nowait.h"
#include "ptracescope_policy.h"
#include "turn.h"
#include "util.h"

#define PERIOD_USEC (10 * 1000 * 1000ULL)	/* until the next one: under a floor, or without an answer */
#define DEADLINE_USEC (5 * 1000 * 1000ULL)

struct child {
	pid_t pid;			/* 0: none */
	sd_event_source *source;
};

struct psc_canary {
	sd_event *event;
	struct psc_kernel *kernel;
	void (*changed)(void *data);
	void *data;
	sd_event_source *next, *deadline;
	struct child bird, probe;
	int results_fd;			/* from the probe */
	bool again;			/* another proof was asked for meanwhile */
	union psc_policy policy;	/* under which it is being tried */
	bool tried[PSC_PROOFS];
	enum psc_outcome outcomes[PSC_PROOFS];
};

static bool running(const struct psc_canary *canary)
{
	return canary->bird.pid || canary->probe.pid;
}

static void set_outcomes(struct psc_canary *canary, const enum psc_outcome outcomes[PSC_PROOFS])
{
	bool changed = false;

	for (int what = 0; what < PSC_PROOFS; what++) {
		enum psc_outcome old = canary->outcomes[what];
		/* A failure is logged once for all proofs. */
		bool first = what == PSC_PROOF_ATTACH ||
			     canary->outcomes[PSC_PROOF_ATTACH] != PSC_OUTCOME_FAILED;

		if (outcomes[what] == old)
			continue;
		changed = true;
		canary->outcomes[what] = outcomes[what];
		psc_outcome_log(canary->kernel, (enum psc_proof)what, old, outcomes[what],
				canary->policy.scope[what], first);
	}
	if (changed)
		canary->changed(canary->data);
}

static void judge_all(struct psc_canary *canary, const struct psc_canary_results *results,
		      enum psc_outcome outcomes[PSC_PROOFS])
{
	__u32 noted = 0;
	int err = psc_kernel_proved(canary->kernel, &noted);

	for (int what = 0; what < PSC_PROOFS; what++) {
		__u8 result = err ? PSC_CANARY_NOT_TRIED : results->of[what];

		if (!canary->tried[what])
			continue;
		if (what != PSC_PROOF_DECLARED)
			outcomes[what] = psc_outcome_of(result, noted & PSC_MODE_BIT(what));
		else if (result == PSC_CANARY_NOT_TRIED)
			outcomes[what] = PSC_OUTCOME_NO_ANSWER;
		else
			outcomes[what] = !result && noted & PSC_PROVED_DECLARED ?
				PSC_OUTCOME_PROVED : PSC_OUTCOME_FAILED_DECLARED;
	}
}

static bool unanswered(const struct psc_canary *canary)
{
	for (int what = 0; what < PSC_PROOFS; what++)
		if (canary->outcomes[what] == PSC_OUTCOME_NO_ANSWER)
			return true;
	return false;
}

/* Prove again later: always under a floor, else when there was no answer. */
static void arm_next(struct psc_canary *canary)
{
	if (psc_kernel_locked(canary->kernel) == 0 && !unanswered(canary))
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

	psc_turn_does("proof");
	(void)source;
	(void)si;
	child_ended(canary, &canary->bird);
	return 0;
}

static int on_probe(sd_event_source *source, const siginfo_t *si, void *data)
{
	struct psc_canary *canary = data;
	enum psc_outcome outcomes[PSC_PROOFS];
	struct psc_canary_results results;
	union psc_policy now;

	psc_turn_does("proof");
	(void)source;
	if (si->si_code != CLD_EXITED || si->si_status != EXIT_SUCCESS ||
	    read(canary->results_fd, &results, sizeof(results)) != (ssize_t)sizeof(results))
		memset(&results, PSC_CANARY_NOT_TRIED, sizeof(results));
	psc_closep(&canary->results_fd);
	canary->results_fd = -1;
	memcpy(outcomes, canary->outcomes, sizeof(outcomes));
	judge_all(canary, &results, outcomes);
	sd_event_source_set_enabled(canary->deadline, SD_EVENT_OFF);
	psc_kernel_probe(canary->kernel, 0, 0);
	if (canary->bird.pid)
		kill(canary->bird.pid, SIGKILL);
	/* What was tried while the policy changed shows nothing. */
	if (psc_kernel_own_policy(canary->kernel, &now) || now.word != canary->policy.word)
		canary->again = true;
	else
		set_outcomes(canary, outcomes);
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
 * At scope 1 what is declared is allowed, so it has to be withdrawn before the try. From
 * 2 on it means nothing to us, but it stops a Yama at 1 from answering in our place.
 */
static bool declaration_allows(const struct psc_canary *canary)
{
	const __u8 *scope = canary->policy.scope;

	return scope[PSC_MODE_ATTACH] == PSC_SCOPE_RESTRICTED ||
		scope[PSC_MODE_READ] == PSC_SCOPE_RESTRICTED;
}

/* Start the two. Return: 0 or a negative errno. */
static int start_both(struct psc_canary *canary)
{
	struct pipes pipes;
	pid_t self = getpid();
	int err = open_pipes(&pipes);

	if (err)
		return err;
	canary->bird.pid = fork();
	if (canary->bird.pid == 0)
		psc_canary_bird(self, pipes.go[0], pipes.ready[1],
				declaration_allows(canary));
	err = watch(canary, &canary->bird, on_bird);
	if (!err) {
		canary->probe.pid = fork();
		if (canary->probe.pid == 0)
			psc_canary_probe(self, canary->bird.pid, canary->tried, pipes.ready[0],
				 pipes.results[1]);
		err = watch(canary, &canary->probe, on_probe);
	}
	if (!err)
		err = psc_kernel_probe(canary->kernel, canary->probe.pid, canary->bird.pid);
	if (!err)
		err = write(pipes.go[1], "", 1) == 1 ? 0 : -errno;
	close(pipes.go[0]);
	close(pipes.go[1]);
	close(pipes.ready[0]);
	close(pipes.ready[1]);
	close(pipes.results[1]);
	psc_closep(&canary->results_fd);
	canary->results_fd = pipes.results[0];
	return err;
}

/* What is being tried keeps its outcome till then: "pending" only for what is new, or good. */
static void keep_tried(const struct psc_canary *canary, bool same, enum psc_outcome outcomes[PSC_PROOFS])
{
	for (int what = 0; what < PSC_PROOFS; what++)
		if (canary->tried[what] && (same || psc_outcome_failed(canary->outcomes[what])))
			outcomes[what] = canary->outcomes[what];
}

void psc_canary_prove(struct psc_canary *canary)
{
	union psc_policy last = canary->policy;
	enum psc_outcome outcomes[PSC_PROOFS];
	bool any;

	canary->again = running(canary);
	if (canary->again)
		return;
	sd_event_source_set_enabled(canary->next, SD_EVENT_OFF);
	if (psc_kernel_own_policy(canary->kernel, &canary->policy)) {
		for (int what = 0; what < PSC_PROOFS; what++)
			outcomes[what] = PSC_OUTCOME_NO_ANSWER;
		set_outcomes(canary, outcomes);
		arm_next(canary);
		return;
	}
	any = psc_outcome_plan(canary->policy.scope, outcomes);
	for (int what = 0; what < PSC_PROOFS; what++)
		canary->tried[what] = outcomes[what] == PSC_OUTCOME_PENDING;
	if (any && start_both(canary)) {
		kill_both(canary);
		for (int what = 0; what < PSC_PROOFS; what++)
			if (canary->tried[what])
				outcomes[what] = PSC_OUTCOME_NO_ANSWER;
	} else {
		keep_tried(canary, last.word == canary->policy.word, outcomes);
	}
	set_outcomes(canary, outcomes);
	if (!running(canary)) {
		arm_next(canary);
		return;
	}
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

int psc_canary_new(sd_event *event, struct psc_kernel *kernel, void (*changed)(void *data),
		   void *data, struct psc_canary **ret)
{
	struct psc_canary *canary = calloc(1, sizeof(*canary));
	int err;

	if (!canary)
		return -ENOMEM;
	*canary = (struct psc_canary){
		.event = sd_event_ref(event), .kernel = kernel,
		.changed = changed, .data = data, .results_fd = -1,
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

const char *psc_canary_outcome(const struct psc_canary *canary, enum psc_proof what)
{
	return psc_outcome_text(canary->outcomes[what]);
}

int psc_canary_value(const struct psc_canary *canary, enum psc_proof what)
{
	enum psc_outcome outcome = canary->outcomes[what];

	return outcome == PSC_OUTCOME_PROVED ? 1 : psc_outcome_failed(outcome) ? 0 : -1;
}

bool psc_canary_failed(const struct psc_canary *canary)
{
	for (int what = 0; what < PSC_PROOFS; what++)
		if (canary->outcomes[what] == PSC_OUTCOME_FAILED)
			return true;
	return false;
}

void psc_canary_free(struct psc_canary *canary)
{
	if (!canary)
		return;
	kill_both(canary);
	psc_closep(&canary->results_fd);
	sd_event_source_disable_unref(canary->probe.source);
	sd_event_source_disable_unref(canary->bird.source);
	sd_event_source_disable_unref(canary->next);
	sd_event_source_disable_unref(canary->deadline);
	sd_event_unref(canary->event);
	free(canary);
}

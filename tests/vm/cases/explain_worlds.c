/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does psc_explain tell what then happens? In the random worlds of the parity test, under
 * random scopes of everybody and of cgroups, it is asked first and the tracer then really
 * tries. And what it says would allow an access is done, and then allows it.
 *
 * vm: lsm=no-yama mem=1024 limit=3000
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "explain.h"
#include "explain_worlds/count.h"
#include "loader.h"
#include "names.h"
#include "parity/parity.h"

#define PAIRS_MAX 32
#define TRIPLES_WANTED 7000	/* each kernel has worlds of its own */
#define WORLDS_MAX 400
#define SHOWN_MAX 20

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUPS 3

static const char *const cgroups[CGROUPS] = { "/explain-a", "/explain-a/b", "/explain-c" };

static struct psc_kernel *kernel;
static struct psc_explain_paths paths;

/* ---- what parity's own set_scope() would do ---- */

const char *const side_names[SIDES] = { "nobody", "ours" };

static int request(struct psc_request *req, const char *cgroup)
{
	char path[256];
	int err;

	req->abi = PSC_ABI;
	if (!cgroup)
		return psc_kernel_request(kernel, req);
	snprintf(path, sizeof(path), CGROUP_ROOT "%s", cgroup);
	req->dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (req->dir_fd < 0)
		bail("%s: %s", path, strerror(errno));
	req->flags |= PSC_FLAG_CGROUP;
	err = psc_kernel_request(kernel, req);
	close(req->dir_fd);
	return err;
}

/* Not final, whatever the value. */
static void set_mode(const char *cgroup, enum psc_mode mode, unsigned int value)
{
	struct psc_request req = psc_request_set(PSC_MODE_BIT(mode), value);
	int err;

	if (value == PSC_SCOPE_INHERIT)
		req = psc_request_unset(PSC_MODE_BIT(mode));
	else if (value == PSC_SCOPE_NO_ATTACH)
		req.flags = PSC_FLAG_REVOCABLE;
	err = request(&req, cgroup);
	if (err)
		bail("setting %s of %s to %u: %s", psc_mode_word(mode), cgroup ? cgroup : "all", value,
		     strerror(-err));
}

void set_scope(enum side side, unsigned int scope)
{
	/* There is no Yama; what world_settle() sets there, to see the dead forgotten, is ours. */
	(void)side;
	for (enum psc_mode mode = 0; mode < PSC_MODES; mode++)
		set_mode(NULL, mode, scope);
}

static unsigned int roll(uint64_t *state, unsigned int sides)
{
	return (unsigned int)(random_next(state) % sides);
}

/* Of everybody one scope, of cgroups some. */
static void set_policy(uint64_t *state, unsigned int scope)
{
	static const unsigned int values[] = {
		PSC_SCOPE_INHERIT, PSC_SCOPE_INHERIT, 0, 1, 2, 3, PSC_SCOPE_SIBLINGS,
		PSC_SCOPE_SIBLINGS,
	};
	bool some = roll(state, 3) > 0;

	set_scope(OURS, scope);
	set_mode(NULL, PSC_MODE_BOUNDARY, roll(state, 4) == 0);
	for (unsigned int i = 0; i < CGROUPS; i++) {
		for (enum psc_mode mode = 0; mode < PSC_MODES; mode++)
			set_mode(cgroups[i], mode, some ? values[roll(state, ARRAY_SIZE(values))] :
							  PSC_SCOPE_INHERIT);
		set_mode(cgroups[i], PSC_MODE_BOUNDARY, some && roll(state, 3) == 0 ?
			 1 : PSC_SCOPE_INHERIT);
	}
}

static void clear_policy(void)
{
	set_scope(OURS, 0);
	set_mode(NULL, PSC_MODE_BOUNDARY, 0);
	for (unsigned int i = 0; i < CGROUPS; i++)
		for (enum psc_mode mode = 0; mode < PSC_MODE_SLOTS; mode++)
			set_mode(cgroups[i], mode, PSC_SCOPE_INHERIT);
}

static void move(const struct world *w, uint64_t *state)
{
	for (int i = 0; i < w->count; i++) {
		unsigned int to = roll(state, CGROUPS + 2);
		char path[256];
		int fd;

		if (w->actors[i].state != ACTOR_RUNS || !w->actors[i].leader || to >= CGROUPS)
			continue;
		snprintf(path, sizeof(path), CGROUP_ROOT "%s/cgroup.procs", cgroups[to]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			dprintf(fd, "%d", w->actors[i].tgid);
		close(fd);
	}
}

static __u64 cgroup_id(const char *cgroup)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), CGROUP_ROOT "%s", cgroup);
	return stat(path, &st) ? 0 : st.st_ino;
}

static const char *find_path(void *data, __u64 id)
{
	(void)data;
	for (unsigned int i = 0; i < CGROUPS; i++)
		if (cgroup_id(cgroups[i]) == id)
			return cgroups[i];
	return NULL;
}

/* What happened, in the words of a verdict. */
enum outcome { ALLOWED, REFUSED, NEITHER };

static enum outcome outcome_of(result_t result)
{
	if (result == RESULT_NONE)
		return NEITHER;
	if (!result || RESULT_STEP(result))
		return ALLOWED;
	return RESULT_ERRNO(result) == EPERM || RESULT_ERRNO(result) == EACCES ? REFUSED : NEITHER;
}

/* After the check the link of who has no memory any more is not there. */
static enum outcome outcome_of_link(result_t result)
{
	return result && RESULT_ERRNO(result) == ENOENT ? ALLOWED : outcome_of(result);
}

static bool ask(pid_t tracer, pid_t tracee, enum psc_mode mode, struct psc_explanation *ret)
{
	struct psc_explain_request req = {
		.abi = PSC_ABI, .mode = mode, .tracer = tracer, .tracee = tracee,
	};
	int err = psc_kernel_explain(kernel, &req, ret);

	if (err && err != -PSC_E_SRCH)
		bail("psc_explain: %s", strerror(-err));
	if (!err && !psc_explain_fits(ret))
		bail("what psc_explain tells does not fit together");
	return !err;
}

static void show(const struct psc_explanation *e, const char *what, bool said_refused)
{
	struct psc_explain_verdict verdict = psc_explain_judge(e);

	if (count.shown++ >= SHOWN_MAX)
		return;
	printf("# %u on %u, %s: said to be %s, and is not\n", e->tracer.tid, e->tracee.tid, what,
	       said_refused ? "refused" : "allowed");
	for (enum psc_step step = 0; step < PSC_STEPS; step++) {
		char *text = psc_explain_step_text(e, step, &paths);

		if (verdict.results[step] != PSC_STEP_NOT_ASKED)
			printf("#   %s %s: %s\n", psc_step_word(step),
			       psc_step_result_word(verdict.results[step]), text ? text : "?");
		free(text);
	}
}

static void compare(const struct psc_explanation *e, const char *what, bool said_refused,
		    enum outcome outcome)
{
	if (outcome == NEITHER) {
		count.skipped++;
		return;
	}
	if (said_refused == (outcome == REFUSED))
		return;
	count.differ++;
	show(e, what, said_refused);
}

static void note(const struct psc_explanation *e)
{
	struct psc_explain_verdict verdict = psc_explain_judge(e);

	count.triples++;
	count.decided[verdict.refused][verdict.decides]++;
	if (verdict.decides == PSC_STEP_SCOPE)
		count.reasons[e->question.mode][psc_explain_scope(e).reason & 15]++;
}

/* ---- remedies ---- */

/* "sudo ptracescopectl set NAME=VALUE" or "... cgroup set 'PATH' NAME VALUE" */
static void do_command(const char *command)
{
	char name[128], path[128];
	const struct psc_name *known;
	unsigned int value;
	bool global = sscanf(command, "sudo ptracescopectl set %127[^=]=%u", name, &value) == 2;

	if (!global && sscanf(command, "sudo ptracescopectl cgroup set '%127[^']' %127s %u", path,
			      name, &value) != 3)
		bail("no such command is known here: %s", command);
	known = psc_name_find(name);
	if (!known)
		bail("no such name: %s", name);
	set_mode(global ? NULL : path, known->mode, value);
}

/* Whether it is one of those that change the policy; then it is done. */
static bool do_remedy(const struct psc_remedy *remedy)
{
	char *copy, *rest, *end;

	if (remedy->is_call || !strstr(remedy->text, "ptracescopectl"))
		return false;
	copy = rest = strdup(remedy->text);
	while ((end = strstr(rest, " && "))) {
		*end = '\0';
		do_command(rest);
		rest = end + strlen(" && ");
	}
	do_command(rest);
	free(copy);
	return true;
}

/* Do what is said to allow an attach, and see. The policy is another one then. */
static void try_remedy(struct world *w, const struct pair *pair, const struct psc_explanation *e)
{
	struct psc_remedies remedies;
	result_t results[OPS];

	if (psc_explain_remedies(e, 0, (__s32)e->tracee.tid, &paths, &remedies))
		bail("no memory");
	for (size_t i = 0; i < remedies.n; i++) {
		if (!do_remedy(&remedies.items[i]))
			continue;
		count.remedies++;
		world_measure(w, pair->tracer, pair->target, results);
		if (outcome_of(results[OP_SEIZE]) == REFUSED) {
			count.useless++;
			show(e, remedies.items[i].text, false);
		} else if (outcome_of(results[OP_SEIZE]) == ALLOWED) {
			count.remedied[psc_explain_scope(e).reason & 15]++;
		}
		break;
	}
	psc_remedies_free(&remedies);
}

static void try_traceme(struct world *w, const struct pair *pair)
{
	struct psc_explanation e;
	result_t results[OPS];

	if (!ask(0, w->actors[pair->tracer].tid, PSC_MODE_TRACEME, &e))
		return;
	world_measure_traceme(w, pair->tracer, results);
	if (results[OP_TRACEME] == RESULT_NONE)
		return;
	note(&e);
	compare(&e, "PTRACE_TRACEME", psc_explain_judge(&e).refused,
		outcome_of(results[OP_TRACEME]));
}

static void try_pair(struct world *w, const struct pair *pair, bool remedies)
{
	struct psc_explanation attach, read;
	struct psc_explain_verdict verdict;
	result_t results[OPS];

	if (!ask(w->actors[pair->tracer].tid, w->actors[pair->target].tid, PSC_MODE_ATTACH, &attach) ||
	    !ask(w->actors[pair->tracer].tid, w->actors[pair->target].tid, PSC_MODE_READ, &read))
		return;
	world_measure(w, pair->tracer, pair->target, results);
	verdict = psc_explain_judge(&attach);
	if (world_pid_seen(w, pair->tracer, pair->target)) {
		note(&attach);
		compare(&attach, "PTRACE_SEIZE", verdict.refused, outcome_of(results[OP_SEIZE]));
		compare(&attach, "process_vm_readv", verdict.check_refused,
			outcome_of(results[OP_VM_READV]));
	}
	note(&read);
	compare(&read, "/proc/PID/exe", psc_explain_judge(&read).refused,
		outcome_of_link(results[OP_EXE]));
	compare(&read, "/proc/PID/ns/user", psc_explain_judge(&read).refused,
		outcome_of_link(results[OP_NS_USER]));
	if (remedies && verdict.refused && outcome_of(results[OP_SEIZE]) == REFUSED)
		try_remedy(w, pair, &attach);
}

static void try_world(uint64_t seed, unsigned int number)
{
	struct pair pairs[PAIRS_MAX];
	uint64_t state = seed + number * 1000003ULL;
	struct world w;
	int n;

	world_begin(&w, false, false);
	n = generate(&w, seed, number, pairs, PAIRS_MAX);
	move(&w, &state);
	world_settle(&w);
	for (unsigned int scope = 0; scope < SCOPES; scope++) {
		set_policy(&state, scope);
		for (int i = 0; i < n; i++) {
			bool remedies = roll(&state, 8) == 0;
			uint64_t before = state;

			if (pairs[i].target < 0)
				try_traceme(&w, &pairs[i]);
			else
				try_pair(&w, &pairs[i], remedies);
			/* What a remedy has changed is not for the next pair. */
			state = before;
			if (remedies)
				set_policy(&state, scope);
		}
		clear_policy();
	}
	world_end(&w);
}

/* ---- the outcome ---- */

static int line;

static bool say(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++line, what);
	return good;
}

static void prepare(void)
{
	const struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	int err;

	actors_prepare();
	for (unsigned int i = 0; i < CGROUPS; i++) {
		char path[256];

		snprintf(path, sizeof(path), CGROUP_ROOT "%s", cgroups[i]);
		if (mkdir(path, 0755))
			bail("%s: %s", path, strerror(errno));
	}
	err = psc_loader_start(&options, NULL, 0, &kernel);
	if (err < 0)
		bail("loading: %s", strerror(-err));
}

/* Of its version, so that each kernel is tried with other worlds: 612 for 6.12. */
static unsigned long kernel_seed(void)
{
	unsigned int major, minor;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		bail("the version of the kernel");
	return major * 100UL + minor;
}

int main(int argc, char **argv)
{
	const char *wanted = getenv("EXPLAIN_TRIPLES");
	unsigned long triples = wanted ? strtoul(wanted, NULL, 0) : TRIPLES_WANTED;
	unsigned long seed;
	char text[128];
	bool good = true;

	if (argc == 3 && !strcmp(argv[1], "--actor"))
		actor_run(atoi(argv[2]));
	paths = (struct psc_explain_paths){ .path = find_path };
	prepare();
	seed = kernel_seed();
	printf("# seed %lu\n", seed);
	for (unsigned int i = 0; i < WORLDS_MAX; i++) {
		if (count.triples >= triples && saw_everything(false))
			break;
		try_world(seed, i);
	}
	snprintf(text, sizeof(text), "%lu triples, asked and tried: %lu differ (%lu tell nothing)",
		 count.triples, count.differ, count.skipped);
	good = say(count.triples >= triples && !count.differ, text) && good;
	snprintf(text, sizeof(text), "%lu remedies, applied: %lu did not allow", count.remedies,
		 count.useless);
	good = say(count.remedies && !count.useless, text) && good;
	good = say(saw_everything(true), "every step and reason decided, and was remedied") && good;
	printf("1..%d\n", line);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cgroups by name and by id, as the kernel side finds them, without looking up a directory:
 * with names that come and go meanwhile, long ones, and more than one answer holds.
 *
 * vm: lsm=no-yama cpus=2 limit=900
 */
#include "cgroup.h"
#include "loader.h"
#include "puppet.h"
#include "turn.h"
#include "util.h"
#include "walk.h"

#define MANY 300
#define MORE 2500			/* than the kernel side looks at in one run */

static struct psc_cgroups cgroups;

static __u64 inode(const char *path)
{
	char whole[4096];
	struct stat st;

	snprintf(whole, sizeof(whole), CGROUPS "/%s", path);
	return stat(whole, &st) ? 0 : st.st_ino;
}

/* The id that a name leads to; 0 and less: trouble. */
static long long found(const char *name)
{
	_cleanup_cgroup_ struct psc_cgroup cgroup = { .fd = -1 };
	int err = psc_cgroup_find(&cgroups, name, &cgroup);

	return err ? -err : (long long)cgroup.id;
}

static int set_by_id(__u64 id, __u32 value)
{
	struct psc_request req = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = ATTACH, .want = PSC_WANT(value),
		.flags = PSC_FLAG_CGROUP, .cgroup = id,
	};

	return psc_kernel_request(kernel, &req);
}

static void test_paths(void)
{
	char longest[300] = "a/";
	__u64 id;

	cg_make("a");
	cg_make("a/b");
	is(found("a"), (long long)inode("a"), "a");
	is(found("/a/b"), (long long)inode("a/b"), "/a/b");
	is(found(CGROUPS "/a/b"), (long long)inode("a/b"), "an absolute path");
	is(found("a/c"), -PSC_CGROUP_ABSENT, "one that is not there");
	is(found("a/cgroup.procs"), -PSC_CGROUP_ABSENT, "a file is none");
	is(found("a/../a"), -PSC_CGROUP_NAME, "no ..");
	is(found(""), -PSC_CGROUP_NAME, "nothing");
	is(found("/"), -PSC_CGROUP_ROOT, "the root");
	memset(longest + 2, 'x', 255);
	cg_make(longest);
	is(found(longest), (long long)inode(longest), "the longest name");
	strcat(longest, "x");
	is(found(longest), -PSC_CGROUP_ABSENT, "one that is longer");
	longest[257] = '\0';
	cg_remove(longest);
	id = inode("a/b");
	is(set_by_id(id, 2), 0, "an entry by the id");
	is(cg_info("a/b").policy.scope[PSC_MODE_ATTACH], 2, "is that cgroup's");
	cg_remove("a/b");
	is(set_by_id(id, 2), -ENODEV, "one that has gone");
	is(set_by_id(id + (1ULL << 32), 2), -ENODEV, "an id that nobody has");
	is(set_by_id(1, 2), -EINVAL, "the root cgroup");
	is(found("a/b"), -PSC_CGROUP_ABSENT, "nor is it found");
	cg_make("a/b");
	ok(found("a/b") == (long long)inode("a/b") && (__u64)found("a/b") != id,
	   "made anew, it has another id");
	cg_remove("a/b");
	cg_remove("a");
}

static void test_units(void)
{
	cg_make("s.slice");
	cg_make("s.slice/u.service");
	cg_make("n");
	cg_make("n/v.service");
	is(found("u.service"), (long long)inode("s.slice/u.service"), "a unit in a slice");
	is(found("v.service"), -PSC_CGROUP_ABSENT, "not one below something else");
	cg_make("t.slice");
	cg_make("t.slice/u.service");
	is(found("u.service"), -PSC_CGROUP_AMBIGUOUS, "one in two slices");
	for (const char *const *path = (const char *const[]){ "s.slice/u.service", "s.slice",
		"t.slice/u.service", "t.slice", "n/v.service", "n", NULL }; *path; path++)
		cg_remove(*path);
}

static int seen(void *data, const struct psc_cgroup *cgroup)
{
	unsigned int *n = data;

	if (inode(cgroup->path) != cgroup->id)
		return -ESTALE;
	*n += strncmp(cgroup->path, "many/", 5) == 0;
	return 0;
}

/* More than one answer holds, and none of those that stay is missed while others come and go. */
static void test_many(void)
{
	unsigned int n = 0, wrong = 0;
	char path[64];
	pid_t pid;

	cg_make("many");
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		cg_make(path);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		wrong += found(path) != (long long)inode(path);
	}
	is(wrong, 0, "each of many is found by its name");
	is(psc_cgroup_walk(&cgroups, seen, &n), 0, "a walk");
	is(n, MANY, "goes over all of them");
	fflush(stdout);
	pid = fork();
	if (!pid)
		for (int i = 0;; i++) {
			snprintf(path, sizeof(path), CGROUPS "/many/z%d", i % 50);
			if (i / 50 % 2)
				rmdir(path);
			else
				mkdir(path, 0755);
		}
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < MANY; i += 7) {
			snprintf(path, sizeof(path), "many/%d", i);
			wrong += found(path) != (long long)inode(path);
		}
	is(wrong, 0, "also while others come and go");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 50; i++) {
		snprintf(path, sizeof(path), "many/z%d", i);
		cg_try_remove(path);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "many/%d", i);
		cg_remove(path);
	}
	cg_remove("many");
}

static void make_in(const char *dir, int n)
{
	char path[64];

	cg_make(dir);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%d", dir, i);
		cg_make(path);
	}
}

/* Go on at a position, which is replaced, @n times at most. Return: how many below @dir came */
static int resume(char **position, const char *dir, int n, char *last)
{
	struct psc_cgroup cgroup;
	struct psc_walk walk;
	int found = 0, more = 1;

	psc_walk_begin(&walk, &cgroups, false);
	if (*position && psc_walk_resume(&walk, *position))
		bail("a position");
	while (found < n && (more = psc_walk_next(&walk, &cgroup)) > 0)
		if (strncmp(cgroup.path, dir, strlen(dir)) == 0 && strchr(cgroup.path, '/')) {
			found++;
			strcpy(last, cgroup.path);
		}
	free(*position);
	*position = more > 0 ? psc_walk_position(&walk) : NULL;
	psc_walk_end(&walk);
	return found;
}

/* A list that goes on at each of many, where the last one has gone meanwhile. */
static void test_positions(void)
{
	char *position = NULL, last[300] = "", before[300] = "";
	int n = 0, again = 0;

	make_in("list", MANY);
	do {
		strcpy(before, last);
		n += resume(&position, "list", 1, last);
		again += position && strcmp(before, last) == 0;
		if (position && n % 2)
			cg_remove(last);
	} while (position && n < 2 * MANY);
	is(n, MANY, "all are listed, one after the other");
	is(again, 0, "none twice");
	for (int i = 0; i < MANY; i++) {
		snprintf(last, sizeof(last), "list/%d", i);
		cg_try_remove(last);
	}
	cg_remove("list");

	make_in("more", MORE);
	n = resume(&position, "more", MORE - 10, last);
	cg_remove(last);
	n += resume(&position, "more", MORE, last);
	is(n, MORE, "and one who goes on far behind what one run looks at");
	for (int i = 0; i < MORE; i++) {
		snprintf(last, sizeof(last), "more/%d", i);
		cg_try_remove(last);
	}
	cg_remove("more");
}

/* In turns that are spent at once every step is the last one, and all is found. */
static void test_turns(void)
{
	static const struct timespec turn = { .tv_nsec = 3000000 };
	struct psc_cgroup cgroup;
	struct psc_walk walk;
	int n = 0, turns = 0, got;

	make_in("turn", MANY);
	psc_walk_begin(&walk, &cgroups, false);
	do {
		psc_turn_begin();
		nanosleep(&turn, NULL);
		while ((got = psc_walk_next(&walk, &cgroup)) > 0)
			n += strncmp(cgroup.path, "turn/", 5) == 0;
		psc_turn_end();
		turns++;
	} while (got == -EINPROGRESS);
	psc_walk_end(&walk);
	is(got, 0, "a walk in many turns ends");
	is(n, MANY, "with all that is there");
	ok(turns > MANY / PSC_FOUND_MAX, "in %d turns", turns);
	for (int i = 0; i < MANY; i++) {
		char path[64];

		snprintf(path, sizeof(path), "turn/%d", i);
		cg_remove(path);
	}
	cg_remove("turn");
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(1),
	};

	if (!puppets_begin(&options, &first))
		return finish();
	psc_cgroups_open(&cgroups);
	cgroups.kernel = kernel;
	test_paths();
	test_units();
	test_many();
	test_positions();
	test_turns();
	psc_cgroups_close(&cgroups);
	psc_kernel_close(kernel);
	return finish();
}

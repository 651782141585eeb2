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
#include "util.h"

#define MANY 300

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
	is(psc_cgroup_walk(&cgroups, NULL, seen, &n), 0, "a walk");
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

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(1),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!is(psc_loader_start(&options, &first, 1, &kernel), PSC_LOADED, "loads and attaches"))
		return finish();
	psc_kernel_close_secrets(kernel);
	psc_cgroups_open(&cgroups);
	cgroups.kernel = kernel;
	test_paths();
	test_units();
	test_many();
	psc_cgroups_close(&cgroups);
	psc_kernel_close(kernel);
	return finish();
}

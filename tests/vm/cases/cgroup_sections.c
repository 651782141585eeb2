/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sections of the configuration, which the kernel side matches to cgroups that are made:
 * patterns as fnmatch(3) has them, what is set and by whom, floors, shares, and that there
 * is no moment in which a process of a new cgroup is without what its section sets.
 *
 * vm: lsm=no-yama cpus=2 mem=1024 limit=900
 */
#include <dirent.h>
#include <fnmatch.h>
#include <sys/mman.h>

#include "cgroup.h"
#include "loader.h"
#include "pattern.h"
#include "puppet.h"
#include "util.h"

#define ROUNDS 250
#define NAMES 6
#define RACES 60

static __u64 armed;

static int put(__u32 index, const char *pattern, union psc_policy policy)
{
	struct psc_section_request req = {
		.abi = PSC_ABI, .op = PSC_SECTIONS_PUT, .index = index,
	};
	int err = psc_pattern_compile(pattern, &req.pattern);

	req.pattern.policy = policy;
	return err ?: psc_kernel_section(kernel, &req);
}

static int commit(__u32 n)
{
	struct psc_section_request req = {
		.abi = PSC_ABI, .op = PSC_SECTIONS_COMMIT, .index = n, .armed = armed,
	};

	return psc_kernel_section(kernel, &req);
}

/* A policy that sets one mode. */
static union psc_policy sets(unsigned int mode, unsigned int value)
{
	union psc_policy policy = { .word = ~0ULL };

	policy.scope[mode] = (__u8)value;
	return policy;
}

/* One section alone. */
static void only(const char *pattern, unsigned int mode, unsigned int value)
{
	if (put(0, pattern, sets(mode, value)) || commit(1))
		bail(pattern);
}

static bool has(const char *path, unsigned int mode, unsigned int value)
{
	return cg_info(path).policy.scope[mode] == value;
}

static bool has_entry(const char *path)
{
	struct psc_request info = cg_info(path);

	return psc_entry_exists(&info.policy);
}

static __u64 counter(enum psc_stat stat)
{
	__u64 stats[PSC_STATS];

	if (psc_kernel_stats(kernel, stats))
		bail("counters");
	return stats[stat];
}

static void test_requests(void)
{
	struct psc_section_request req = { .abi = PSC_ABI, .op = 2 };
	pid_t pid;
	int status;

	is(psc_kernel_section(kernel, &req), -EINVAL, "an unknown operation");
	req = (struct psc_section_request){ .abi = PSC_ABI - 1 };
	is(psc_kernel_section(kernel, &req), -EINVAL, "another ABI");
	req = (struct psc_section_request){ .abi = PSC_ABI, .index = PSC_SECTIONS_MAX };
	is(psc_kernel_section(kernel, &req), -EINVAL, "a section too many");
	req.op = PSC_SECTIONS_COMMIT;
	req.index++;
	is(psc_kernel_section(kernel, &req), -EINVAL, "a set too large");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(setresuid(ALICE, ALICE, ALICE) ? 100 : -commit(0));
	waitpid(pid, &status, 0);
	is(WEXITSTATUS(status), EPERM, "without privileges nobody");
}

static void test_matching(void)
{
	static const struct {
		const char *pattern, *path;
		bool matches;
	} rows[] = {
		{ "/p", "p", true }, { "/p", "q", false }, { "/p", "p/p", false },
		{ "p/q", "p/q", true }, { "p/*", "p/q", true }, { "p/*", "p/q/r", false },
		{ "*/q", "p/q", true }, { "*/*/r", "p/q/r", true }, { "/*", "p/q", false },
		{ "u.service", "u.service", true }, { "u.service", "a.slice/u.service", true },
		{ "u.service", "a.slice/b.slice/u.service", true },
		{ "u.service", "a.slice/b/u.service", false },
		{ "u.service", "a/b.slice/u.service", false },
		{ "u.service", ".slice/u.service", false },
		{ "u.service", "a.slice/_u.service", true },
		{ "u.service", "a.slice/__u.service", false },
		{ "*.service", "a.slice/u.service", true },
		{ "a\\x2db.service", "a.slice/a\\x2db.service", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[256], *slash;

		snprintf(path, sizeof(path), "%s", rows[i].path);
		for (slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			cg_make(path);
			*slash = '/';
		}
		only(rows[i].pattern, PSC_MODE_ATTACH, 2);
		cg_make(path);
		ok(has(path, PSC_MODE_ATTACH, 2) == rows[i].matches &&
		   psc_cgroup_matches(rows[i].pattern, path) == rows[i].matches,
		   "[%s] is %sfor %s", rows[i].pattern, rows[i].matches ? "" : "not ", path);
		for (slash = path; slash; *slash = '\0') {
			cg_remove(path);
			slash = strrchr(path, '/');
			if (!slash)
				break;
		}
	}
	is(global_info().entries, 0, "all entries went with their cgroups");
}

static unsigned int seed = 1;

static unsigned int below(unsigned int n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

static void random_text(char *ret, const char *alphabet, unsigned int max)
{
	unsigned int n = 1 + below(max);

	for (unsigned int i = 0; i < n; i++)
		*ret++ = alphabet[below((unsigned int)strlen(alphabet))];
	*ret = '\0';
}

/* Thousands of patterns and names: the kernel side says what fnmatch(3) says. */
static void test_random(void)
{
	static const char *const pieces[] = {
		"a", "b", "-", "*", "?", "**", "[ab]", "[!a]", "[^b-]", "[a-c]", "[]a]", "[a", "]",
		"[[:alpha:]]", "[[:nope:]]", "[\\]", "\\", "[!]]", "[[.-.]]", "[b-a]", "[[=a=]b]",
		"\xc3\xa4", "[\x80-\xff]", "*a*b", "[", "!", "[a-]", "[:a:]",
	};
	unsigned int asked = 0, matched = 0, wrong = 0, skipped = 0;

	cg_make("r");
	for (int round = 0; round < ROUNDS; round++) {
		char patterns[PSC_MODE_SLOTS][256];
		bool fits[PSC_MODE_SLOTS];

		for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
			unsigned int n = 1 + below(5);

			strcpy(patterns[mode], "r/");
			while (n--)
				strcat(patterns[mode], pieces[below(ARRAY_SIZE(pieces))]);
			fits[mode] = !put(mode, patterns[mode], sets(mode, 1));
			skipped += !fits[mode];
			if (!fits[mode] && put(mode, "none", sets(mode, 1)))
				bail("put");
		}
		if (commit(PSC_MODE_SLOTS))
			bail("commit");
		for (int i = 0; i < NAMES; i++) {
			char path[64] = "r/";
			struct psc_request info;

			random_text(path + 2, "aabb-c\\[]!\xc3\xa4:", 6);
			cg_make(path);
			info = cg_info(path);
			cg_remove(path);
			for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
				bool wanted = fits[mode] &&
					fnmatch(patterns[mode] + 2, path + 2, FNM_NOESCAPE) == 0;

				asked++;
				matched += wanted;
				if ((info.policy.scope[mode] == 1) == wanted)
					continue;
				wrong++;
				printf("# %s %s: fnmatch says %d\n", patterns[mode], path, wanted);
			}
		}
	}
	printf("# %u answers, %u matches, %u patterns too large\n", asked, matched, skipped);
	is(wrong, 0, "random patterns match as with fnmatch(3)");
	ok(matched > asked / 50 && matched < asked / 2, "and some of them do");
	cg_remove("r");
}

static void test_values(void)
{
	union psc_policy policy = sets(PSC_MODE_ATTACH, 2);
	struct psc_request info;

	cg_make("v");
	policy.scope[PSC_MODE_TRACEME] = 2;
	if (put(0, "v/*", policy) || put(1, "v/a", sets(PSC_MODE_ATTACH, PSC_SCOPE_SIBLINGS)) ||
	    put(2, "v/b", sets(PSC_MODE_READ, 1)) || put(3, "v/*", sets(PSC_MODE_BOUNDARY, 1)))
		bail("put");
	cg_make("v/before");
	ok(!has_entry("v/before"), "a set that is not in force yet");
	is(commit(4), 0, "is from here on");
	ok(!has_entry("v/before"), "for new cgroups");
	cg_make("v/a");
	cg_make("v/a/below");
	info = cg_info("v/a");
	ok(info.policy.scope[PSC_MODE_ATTACH] == PSC_SCOPE_SIBLINGS &&
	   info.policy.scope[PSC_MODE_TRACEME] == 2 &&
	   info.policy.scope[PSC_MODE_READ] == PSC_SCOPE_INHERIT &&
	   info.policy.scope[PSC_MODE_BOUNDARY] == 1 && !psc_policy_highest_floor(&info.policy, 15),
	   "the later section wins, value by value");
	is(info.origin, PSC_ORIGIN_CONFIG, "by the configuration");
	ok(!has_entry("v/a/below"), "further down is no entry");
	cg_make("v/b");
	is(cg_info("v/b").policy.scope[PSC_MODE_READ], 1, "another cgroup, another sum");
	is(global_info().locked, 0, "nothing is locked");
	is(commit(0), 0, "no sections");
	cg_make("v/c");
	ok(!has_entry("v/c"), "no entries");
	cg_remove("v/a/below");
	for (const char *const *name = (const char *const[]){ "v/a", "v/b", "v/c", "v/before", "v",
							      NULL }; *name; name++)
		cg_remove(*name);
}

/* More bytes than one mkdir may go over: the strictest that may be meant. */
static void put_worst(union psc_policy last, char name[256])
{
	char pattern[256] = "b/";

	for (int i = 0; i < 60; i++)
		strcat(pattern, "*a");
	strcat(pattern, "x");
	memset(name, 'a', 252);
	memcpy(name, "b/", 2);
	name[252] = '\0';
	for (__u32 i = 0; i < PSC_SECTIONS_MAX; i++)
		if (put(i, pattern, i == PSC_SECTIONS_MAX - 1 ? last : sets(PSC_MODE_ATTACH, 0)))
			bail("put");
}

static void test_budget(void)
{
	__u64 spared = counter(PSC_STAT_SPARED);
	struct psc_request info;
	char name[256];

	cg_make("b");
	put_worst(sets(PSC_MODE_ATTACH, 2), name);
	is(commit(PSC_SECTIONS_MAX), 0, "256 sections of the worst kind");
	cg_make(name);
	info = cg_info(name);
	is(info.policy.scope[PSC_MODE_ATTACH], 2, "what takes too long to match is strict");
	is((int)(counter(PSC_STAT_SPARED) - spared), 1, "and counted");
	cg_remove(name);
	cg_make("b/z");
	ok(!has_entry("b/z"), "a short name is matched to its end");
	cg_remove("b/z");
	cg_remove("b");
	if (commit(0))
		bail("commit");
}

/* Make cgroups of these numbers in a directory as somebody else. */
static void make_as(uid_t uid, const char *dir, int first, int end)
{
	char path[64];
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setresuid(uid, uid, uid))
			_exit(1);
		for (int i = first; i < end; i++) {
			snprintf(path, sizeof(path), CGROUPS "/%s/%d", dir, i);
			if (mkdir(path, 0755))
				_exit(1);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		bail(dir);
}

static void give(const char *dir, uid_t uid, mode_t mode)
{
	char path[64];

	cg_make(dir);
	snprintf(path, sizeof(path), CGROUPS "/%s", dir);
	if (chown(path, uid, uid) || chmod(path, mode))
		bail(dir);
}

/* As a reload gives what a section sets to a cgroup that is there. */
static int reload(const char *path, unsigned int scope)
{
	struct psc_request req = {
		.op = PSC_OP_CHANGE, .set = PSC_MODE_BIT(PSC_MODE_ATTACH),
		.want = PSC_WANT((__u8)scope), .origin = PSC_ORIGIN_CONFIG,
	};

	return cg_request(path, &req);
}

/*
 * What is made where one user may make cgroups leaves room for others', whatever uid it is
 * made by: a set-user-ID program of a subordinate one, whose number is like bob's; bob's own;
 * or root.
 */
static void test_share(void)
{
	static const char *const rest[] = {
		"s/bob/0", "s/bob", "s/root/1", "s/root", "s/alice", "s",
	};
	const uid_t like_bob = BOB + 25 * 4096;
	__u64 missed = counter(PSC_STAT_MISSED);

	cg_make("s");
	give("s/alice", ALICE, 0777);
	give("s/bob", BOB, 0755);
	only("s/*/*", PSC_MODE_ATTACH, 2);
	make_as(like_bob, "s/alice", 0, PSC_SHARE_MAX + 3);
	is(global_info().entries, PSC_SHARE_MAX, "a user's new cgroups get so many entries");
	is((int)(counter(PSC_STAT_MISSED) - missed), 3, "those beyond are counted");
	make_as(BOB, "s/bob", 0, 1);
	ok(has("s/bob/0", PSC_MODE_ATTACH, 2), "another user gets his");
	make_as(BOB, "s/alice", PSC_SHARE_MAX + 3, PSC_SHARE_MAX + 4);
	cg_make("s/alice/root");
	ok(!has_entry("s/alice/8195") && !has_entry("s/alice/root"),
	   "with no uid there is more for the one");
	is(reload("s/alice/root", 2), -PSC_E_NOSPC, "nor with a reload, which finds it");
	is(reload("s/alice/0", 1), 0, "what is there can be changed");
	cg_make("s/root");
	cg_make("s/root/1");
	ok(has("s/root/1", PSC_MODE_ATTACH, 2), "and root gets its own");
	cg_remove("s/alice/0");
	cg_remove("s/alice/1");
	make_as(ALICE, "s/alice", 0, 1);
	ok(has("s/alice/0", PSC_MODE_ATTACH, 2), "a share that is given back can be had again");
	cg_remove("s/alice/0");
	cg_remove("s/alice/root");
	for (int i = 2; i < PSC_SHARE_MAX + 4; i++) {
		char path[64];

		snprintf(path, sizeof(path), "s/alice/%d", i);
		cg_remove(path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
		cg_remove(rest[i]);
	is(global_info().entries, 0, "all of it goes with the cgroups");
}

/* --- nobody gets in between --- */

static volatile int *caught;

/* Can its memory be read? That is an ATTACH check, which leaves nothing behind. */
static bool read_from(pid_t pid)
{
	static char byte;
	struct iovec from = { &byte, 1 }, to = { &byte, 1 };

	return process_vm_readv(pid, &to, 1, &from, 1, 0) == 1;
}

/* Attach to every process of every cgroup below m, all the time. */
static void __attribute__((noreturn)) attack(void)
{
	if (setresuid(ALICE, ALICE, ALICE))
		_exit(1);
	for (;;) {
		DIR *dir = opendir(CGROUPS "/m");
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			char path[512], text[256];
			ssize_t n;
			int fd;

			if (*entry->d_name == '.')
				continue;
			snprintf(path, sizeof(path), CGROUPS "/m/%s/cgroup.procs", entry->d_name);
			fd = open(path, O_RDONLY);
			n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
			if (fd >= 0)
				close(fd);
			text[n > 0 ? n : 0] = '\0';
			for (char *line = text; *line; line += strcspn(line, "\n") + 1)
				*caught += read_from(atoi(line));
		}
		if (dir)
			closedir(dir);
	}
}

/* Make matching cgroups as fast as can be. */
static void __attribute__((noreturn)) storm(void)
{
	if (setresuid(BOB, BOB, BOB))
		_exit(1);
	for (unsigned int i = 0;; i++) {
		char path[64];

		snprintf(path, sizeof(path), CGROUPS "/n/%u", i % 64);
		if (i / 64 % 2)
			rmdir(path);
		else
			mkdir(path, 0755);
	}
}

static void clear(const char *dir)
{
	for (int i = 0; i < 64; i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%d", dir, i);
		cg_try_remove(path);
	}
}

/*
 * A process of alice's in a cgroup that has just been made, RACES times. It lives for some moments,
 * or until one was caught.
 */
static int race(int moments)
{
	pid_t attacker, maker;

	*caught = 0;
	fflush(stdout);
	attacker = fork();
	if (!attacker)
		attack();
	maker = fork();
	if (!maker)
		storm();
	for (int i = 0; i < RACES; i++) {
		struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
		char path[64];
		pid_t pid;

		snprintf(path, sizeof(path), "m/%d", i);
		cg_make(path);
		args.cgroup = (__u64)cg_open(path);
		pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
		if (!pid) {
			if (setresuid(ALICE, ALICE, ALICE) || prctl(PR_SET_DUMPABLE, 1))
				_exit(1);
			do {
				usleep(20000);
			} while (--moments > 0 && !*caught);
			_exit(0);
		}
		if (pid < 0)
			bail("clone3");
		close((int)args.cgroup);
		waitpid(pid, NULL, 0);
		cg_remove(path);
	}
	kill(attacker, SIGKILL);
	kill(maker, SIGKILL);
	waitpid(attacker, NULL, 0);
	waitpid(maker, NULL, 0);
	clear("n");
	return *caught;
}

static void test_no_window(void)
{
	int before;

	caught = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cg_make("m");
	cg_make("n");
	if (chown(CGROUPS "/n", BOB, BOB) || global_set(ATTACH, 0))
		bail("setup");
	before = race(50);
	printf("# without sections %d attaches succeeded\n", before);
	ok(before > 0, "who attaches to whatever appears gets in at scope 0");
	only("[mn]/*", PSC_MODE_ATTACH, 2);
	is(race(1), 0, "and never where a section says otherwise, whatever others make meanwhile");
	if (global_set(ATTACH, 1) || commit(0))
		bail("end");
	cg_remove("m");
	cg_remove("n");
}

/* The last, as floors stay. */
static void test_floors(void)
{
	union psc_policy policy = sets(PSC_MODE_ATTACH, 1);
	struct psc_section_request set = {
		.abi = PSC_ABI, .op = PSC_SECTIONS_COMMIT, .index = 2,
	};
	struct psc_request info;

	cg_make("f");
	policy.floor[PSC_MODE_ATTACH] = policy.floor[PSC_MODE_TRACEME] = 2;
	if (put(0, "f/*", policy) || put(1, "f/n*", sets(PSC_MODE_READ, 3)))
		bail("put");
	is(commit(2), -ECANCELED, "a set with a floor needs the guards");
	cg_make("f/x");
	ok(!has_entry("f/x") && !global_info().locked,
	   "refused, it is not in force, and nothing is locked");
	cg_remove("f/x");
	is(psc_lock_sections(kernel, PSC_PIN_DIR, &set), 0, "with them it is taken");
	is(global_info().locked, 1, "as the first floor");
	cg_make("f/x");
	info = cg_info("f/x");
	ok(info.policy.scope[PSC_MODE_ATTACH] == 2 && info.policy.floor[PSC_MODE_ATTACH] == 2 &&
	   info.policy.scope[PSC_MODE_TRACEME] == PSC_SCOPE_INHERIT &&
	   info.policy.floor[PSC_MODE_TRACEME] == 2, "a new cgroup has the floor");
	is(cg_set("f/x", ATTACH, 1), -EACCES, "which holds");
	cg_make("f/nx");
	info = cg_info("f/nx");
	ok(info.policy.scope[PSC_MODE_READ] == 3 && info.policy.floor[PSC_MODE_READ] == 3,
	   "a scope of 3 is one");
	put(0, "f/x/*", sets(PSC_MODE_ATTACH, 1));
	is(commit(1), 0, "any set may follow");
	cg_make("f/x/y");
	ok(!has_entry("f/x/y"), "below a floor nothing lower is set");
	cg_remove("f/x/y");
	cg_remove("f/x");
	cg_remove("f/nx");
	cg_remove("f");
}

/* Floors are among what may be meant, also where the section has no scope. */
static void test_floors_spared(void)
{
	union psc_policy policy = { .word = ~0ULL };
	struct psc_request info;
	char name[256];

	cg_make("b");
	policy.floor[PSC_MODE_ATTACH] = 2;
	put_worst(policy, name);
	is(commit(PSC_SECTIONS_MAX), 0, "256 sections of the worst kind, the last one has a floor");
	cg_make(name);
	info = cg_info(name);
	is(info.policy.floor[PSC_MODE_ATTACH], 2, "what takes too long to match has the floor");
	is(info.effective.scope[PSC_MODE_ATTACH], 2, "and is at it");
	cg_remove(name);
	put_worst(sets(PSC_MODE_READ, 3), name);
	is(commit(PSC_SECTIONS_MAX), 0, "the last one has a scope of 3");
	cg_make(name);
	info = cg_info(name);
	ok(info.policy.scope[PSC_MODE_READ] == 3 && info.policy.floor[PSC_MODE_READ] == 3,
	   "which is final");
	cg_remove(name);
	cg_remove("b");
	if (commit(0))
		bail("commit");
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(1),
	};

	if (!puppets_begin(&options, &first))
		return finish();
	test_requests();
	test_matching();
	test_random();
	test_values();
	test_budget();
	test_share();
	test_no_window();
	is(global_info().entries, 0, "in the end there is no entry");
	test_floors();
	test_floors_spared();
	psc_kernel_close(kernel);
	return finish();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many cgroups with entries, up to the limit, and many who change entries at once while
 * cgroups come and go.
 *
 * vm: lsm=no-yama mem=4096 cpus=2 limit=1500
 */
#include <bpf/bpf.h>
#include <sys/mman.h>

#include "loader.h"
#include "puppet.h"
#include "util.h"

#define GROUPS 320
#define PER_GROUP 320

static __u32 count_keys(enum psc_pin_id map)
{
	__u64 key, *previous = NULL;
	__u32 n = 0;

	while (bpf_map_get_next_key(kernel->fds[map], previous, &key) == 0) {
		previous = &key;
		n++;
	}
	return n;
}

/* -1: no scope any more */
static int set_at(int dir, const char *name, int value)
{
	struct psc_request req = value < 0 ? psc_request_unset(ATTACH) :
					     psc_request_set(ATTACH, (unsigned int)value);
	int err;

	req.flags = PSC_FLAG_CGROUP;
	req.dir_fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (req.dir_fd < 0)
		return -errno;
	err = psc_kernel_request(kernel, &req);
	close(req.dir_fd);
	return err;
}

/* By hand, as others here have the policy's maps open. */
static int first_floor(const char *path)
{
	struct psc_request guard = { .abi = PSC_ABI, .op = PSC_OP_GUARD, .value = 1 };
	struct psc_request floor = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .raise = ATTACH, .want = PSC_WANT(1),
		.flags = PSC_FLAG_CGROUP,
	};
	int err;

	guard.dir_fd = open(PSC_PIN_DIR, O_PATH | O_CLOEXEC);
	floor.dir_fd = cg_open(path);
	if (guard.dir_fd < 0 || floor.dir_fd < 0 || psc_kernel_request(kernel, &guard))
		bail("arming");
	floor.armed = guard.armed;
	err = psc_kernel_request(kernel, &floor);
	close(guard.dir_fd);
	close(floor.dir_fd);
	return psc_kernel_disarm(kernel, PSC_PIN_DIR) ?: err;
}

static void test_many(void)
{
	struct puppet first, last, other;
	char name[64], path[128];
	int made = 0, set = 0, gone = 0;

	for (int i = 0; i < GROUPS; i++) {
		int dir;

		snprintf(name, sizeof(name), "g%d", i);
		cg_make(name);
		dir = cg_open(name);
		for (int j = 0; j < PER_GROUP; j++) {
			snprintf(name, sizeof(name), "%d", j);
			made += mkdirat(dir, name, 0755) == 0;
			set += set_at(dir, name, (i + j) % 2 ? 0 : 2) == 0;
		}
		close(dir);
	}
	is(made, GROUPS * PER_GROUP, "102,400 cgroups");
	is(set, made, "with an entry each");
	is((int)global_info().entries, made, "are counted");
	is((int)count_keys(PSC_PIN_CGROUPS), made, "and there");

	first = puppet_new("g0/1", ALICE);
	snprintf(path, sizeof(path), "g%d/%d", GROUPS - 1, PER_GROUP - 2);
	last = puppet_new(path, ALICE);
	other = puppet_new("g7/7", ALICE);
	is(peek(&first, last.pid), 0, "the first and the last are at 0");
	is(peek(&first, other.pid), -EPERM, "g7/7 is at 2");

	/* Room for PSC_CGROUPS_MAX, and not for one more. */
	for (int i = 0; made < PSC_CGROUPS_MAX; i++) {
		int dir;

		snprintf(name, sizeof(name), "m%d", i);
		cg_make(name);
		dir = cg_open(name);
		for (int j = 0; j < PER_GROUP && made < PSC_CGROUPS_MAX; j++) {
			snprintf(name, sizeof(name), "%d", j);
			if (mkdirat(dir, name, 0755) || set_at(dir, name, 1))
				bail("filling up");
			made++;
		}
		close(dir);
	}
	cg_make("more");
	is(cg_set("more", ATTACH, 1), -ENOSPC, "beyond the limit: ENOSPC");
	is((int)global_info().entries, PSC_CGROUPS_MAX, "which is not counted");
	is(first_floor("more"), -ENOSPC, "nor is there room for a floor");
	is(psc_kernel_locked(kernel), 0, "and nothing is locked for it");
	is(cg_set("g0/1", ATTACH, 1), 0, "an entry that is there can still be changed");
	is(cg_unset("m0/0", ATTACH), 0, "and be given up");
	is(cg_set("more", ATTACH, 1), 0, "for another");
	cg_remove("more");

	puppet_end(&first);
	puppet_end(&last);
	puppet_end(&other);
	for (int i = 0; i < 2 * GROUPS; i++) {
		snprintf(name, sizeof(name), "%c%d", i < GROUPS ? 'g' : 'm', i % GROUPS);
		for (int j = 0; j < PER_GROUP; j++) {
			snprintf(path, sizeof(path), "%s/%d", name, j);
			gone += cg_try_remove(path) == 0;
		}
		cg_try_remove(name);
	}
	ok(gone >= made - 1, "%d cgroups go", gone);
	/* The three that had puppets may have been busy. */
	for (int i = 0; i < 2000 && global_info().entries; i++) {
		cg_try_remove("g0/1");
		cg_try_remove("g7/7");
		snprintf(path, sizeof(path), "g%d/%d", GROUPS - 1, PER_GROUP - 2);
		cg_try_remove(path);
		usleep(5000);
	}
	is((int)global_info().entries, 0, "and their entries with them");
	is((int)count_keys(PSC_PIN_CGROUPS), 0, "all of them");
}

/* --- many at once --- */

#define WRITERS 4
#define ROUNDS 1500

struct counts {
	unsigned int done, unexpected, last;
};

/* Set and unset one of a few cgroups, make and remove them, all at once. */
static void disturb(unsigned int me, struct counts *counts)
{
	int root = cg_open("");

	for (unsigned int i = 0; i < ROUNDS; i++) {
		char name[16];
		int err = 0;

		snprintf(name, sizeof(name), "r%u", (i * 7 + me) % 3);
		switch ((i + me) % 5) {
		case 0:
			err = mkdirat(root, name, 0755) ? -errno : 0;
			break;
		case 1:
			err = set_at(root, name, (i + me) % 3);
			break;
		case 2:
			err = unlinkat(root, name, AT_REMOVEDIR) ? -errno : 0;
			break;
		case 3:
			err = set_at(root, name, -1);
			break;
		case 4:
			err = set_at(root, name, 2);
			break;
		}
		counts->done += err == 0;
		if (err && err != -ENOENT && err != -ENODEV && err != -EEXIST) {
			counts->unexpected++;
			counts->last = (unsigned int)-err;
		}
	}
	close(root);
}

static void test_races(void)
{
	struct counts *counts = mmap(NULL, WRITERS * sizeof(*counts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t writers[WRITERS];
	unsigned int done = 0, unexpected = 0;

	if (counts == MAP_FAILED)
		bail("mmap");
	fflush(stdout);
	for (unsigned int w = 0; w < WRITERS; w++) {
		writers[w] = fork();
		if (writers[w] == 0) {
			disturb(w, &counts[w]);
			_exit(0);
		}
	}
	for (unsigned int w = 0; w < WRITERS; w++) {
		waitpid(writers[w], NULL, 0);
		done += counts[w].done;
		unexpected += counts[w].unexpected;
		if (counts[w].unexpected)
			printf("# %s\n", strerror((int)counts[w].last));
	}
	ok(done > WRITERS * ROUNDS / 10, "%u of %u racing changes took place", done,
	   WRITERS * ROUNDS);
	is(unexpected, 0, "the others failed as they should");
	is(global_info().entries, count_keys(PSC_PIN_CGROUPS), "entries are counted as they are");
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "r%d", i);
		cg_try_remove(name);
	}
	is((int)global_info().entries, 0, "none is left when the cgroups are gone");
	is((int)count_keys(PSC_PIN_CGROUPS), 0, "not one");
}

int main(void)
{
	struct psc_loader_options options = { .pin_dir = PSC_PIN_DIR };
	struct psc_request first = {
		.abi = PSC_ABI, .op = PSC_OP_CHANGE, .set = PSC_MODES_YAMA, .want = PSC_WANT(0),
	};

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!is(psc_loader_start(&options, &first, 1, &kernel), PSC_LOADED, "loads and attaches"))
		return finish();
	test_races();
	test_many();
	psc_kernel_close(kernel);
	return finish();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mountfuzz SEED SECONDS: threads that mount, unmount, bind, move, join, share, copy and remove
 *	at random around /sys, /sys/fs/bpf and copies of them. Prints how many of each worked.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* <sys/mount.h> and <linux/mount.h> do not go together in every C library. */
int mount(const char *from, const char *to, const char *type, unsigned long flags, const void *data);
int umount2(const char *path, int flags);

#define THREADS 12
#define PLACES 6
#define BENEATH 0x200		/* MOVE_MOUNT_BENEATH, since 6.5 */
#define DETACH 2		/* MNT_DETACH */
#define WORK "/fuzz"

enum op {
	TMPFS, UMOUNT, UMOUNT_LAZY, BIND, RBIND, MOVE, JOIN, MOVE_OLD, MOVE_BENEATH, PROPAGATE,
	SETATTR, TREE, PIVOT, UNSHARE, SETNS, RENAME, RMDIR, OPS,
};

static const char *const names[OPS] = {
	"tmpfs", "umount", "lazy", "bind", "rbind", "move_mount", "set_group", "ms_move", "beneath",
	"propagation", "mount_setattr", "open_tree", "pivot_root", "unshare", "setns", "rename",
	"rmdir",
};

static atomic_ulong worked[OPS], tried[OPS];
static atomic_int namespaces[THREADS];	/* descriptors */
static atomic_bool over;
static uint64_t seed;

struct fuzzer {
	int index;
	uint64_t random;
	char path[2][64];
};

/* xorshift64* */
static unsigned int pick(struct fuzzer *f, unsigned int n)
{
	f->random ^= f->random >> 12;
	f->random ^= f->random << 25;
	f->random ^= f->random >> 27;
	return (unsigned int)((f->random * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static const char *place(struct fuzzer *f, int i)
{
	static const char *const real[] = { "/sys", "/sys/fs", "/sys/fs/bpf",
					    "/sys/fs/bpf/ptracescope" };
	static const char *const below[] = { "", "/fs", "/fs/bpf", "/sub", "/fs/bpf/ptracescope" };

	if (pick(f, 4) == 0)
		return real[pick(f, 4)];
	snprintf(f->path[i], sizeof(f->path[i]), WORK "/%u%s", pick(f, PLACES),
		 below[pick(f, 5)]);
	return f->path[i];
}

static int move(const char *from, const char *to, unsigned int flags)
{
	return (int)syscall(SYS_move_mount, AT_FDCWD, from, AT_FDCWD, to, flags);
}

/* Both have to be mounts of the same file system, and the second one private. */
static int join(struct fuzzer *f, const char *a, const char *b)
{
	if (pick(f, 4)) {
		mount(a, b, NULL, MS_BIND, NULL);
		mount(NULL, b, NULL, MS_PRIVATE, NULL);
		mount(NULL, a, NULL, MS_SHARED, NULL);
	}
	return move(a, b, MOVE_MOUNT_SET_GROUP);
}

static int set_propagation(struct fuzzer *f, const char *path, bool old)
{
	static const unsigned long types[] = { MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE };
	unsigned long type = types[pick(f, pick(f, 8) ? 3 : 4)];
	bool deep = pick(f, 3) == 0;
	struct mount_attr attr = { .propagation = type };

	if (old)
		return mount(NULL, path, NULL, type | (deep ? MS_REC : 0), NULL);
	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, deep ? AT_RECURSIVE : 0, &attr,
			    sizeof(attr));
}

static int clone_tree(struct fuzzer *f, const char *from, const char *to)
{
	int err, tree = (int)syscall(SYS_open_tree, AT_FDCWD, from, OPEN_TREE_CLONE |
				     OPEN_TREE_CLOEXEC | (pick(f, 2) ? AT_RECURSIVE : 0));

	if (tree < 0)
		return -1;
	err = (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH);
	close(tree);
	return err;
}

static int pivot(const char *to)
{
	char old[80];

	snprintf(old, sizeof(old), "%s/sub", to);
	return (int)syscall(SYS_pivot_root, to, old);
}

/* A namespace of one's own, for others to enter as well. */
static int leave(struct fuzzer *f)
{
	int fd, err = unshare(CLONE_NEWNS);

	if (err)
		return err;
	fd = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	fd = atomic_exchange(&namespaces[f->index], fd);
	if (fd > 0)
		close(fd);
	return 0;
}

/* Mostly back to where it began. */
static int enter(struct fuzzer *f)
{
	return setns(atomic_load(&namespaces[pick(f, 2) ? 0 : pick(f, THREADS)]), CLONE_NEWNS);
}

static int act(struct fuzzer *f, enum op op)
{
	const char *a = place(f, 0), *b = place(f, 1);

	switch (op) {
	case TMPFS:		return mount("none", a, "tmpfs", 0, NULL);
	case UMOUNT:		return umount2(a, 0);
	case UMOUNT_LAZY:	return umount2(a, DETACH);
	case BIND:		return mount(a, b, NULL, MS_BIND, NULL);
	case RBIND:		return mount(a, b, NULL, MS_BIND | MS_REC, NULL);
	case MOVE:		return move(a, b, 0);
	case JOIN:		return join(f, a, b);
	case MOVE_OLD:		return mount(a, b, NULL, MS_MOVE, NULL);
	case MOVE_BENEATH:	return move(a, b, BENEATH);
	case PROPAGATE:		return set_propagation(f, a, true);
	case SETATTR:		return set_propagation(f, a, false);
	case TREE:		return clone_tree(f, a, b);
	case PIVOT:		return pivot(a);
	case UNSHARE:		return leave(f);
	case SETNS:		return enter(f);
	case RENAME:		return rename(a, b);
	default:		return pick(f, 2) ? rmdir(a) : mkdir(a, 0755);
	}
}

static void *fuzz(void *data)
{
	struct fuzzer f = { .index = (int)(intptr_t)data };

	f.random = (seed + 1) * 0x9e3779b97f4a7c15ULL + (uint64_t)f.index + 1;
	if (unshare(CLONE_FS) < 0)
		err(2, "unshare");
	while (!atomic_load(&over)) {
		enum op op = (enum op)pick(&f, OPS);

		atomic_fetch_add(&tried[op], 1);
		if (act(&f, op) == 0)
			atomic_fetch_add(&worked[op], 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	char path[64];

	if (argc != 3)
		errx(2, "usage: mountfuzz SEED SECONDS");
	seed = strtoull(argv[1], NULL, 10);
	for (int i = 0; i < PLACES; i++) {
		static const char *const dirs[] = { "", "/fs", "/fs/bpf", "/sub" };

		mkdir(WORK, 0755);
		for (int d = 0; d < 4; d++) {
			snprintf(path, sizeof(path), WORK "/%d%s", i, dirs[d]);
			mkdir(path, 0755);
		}
	}
	for (int i = 0; i < THREADS; i++)
		namespaces[i] = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, fuzz, (void *)(intptr_t)i))
			errx(2, "pthread_create");
	sleep((unsigned int)atoi(argv[2]));
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int op = 0; op < OPS; op++)
		printf("%s: %lu of %lu\n", names[op], worked[op], tried[op]);
	return 0;
}

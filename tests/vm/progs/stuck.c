/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stuck FILE: become a process of alice whose /proc/PID/cmdline makes readers wait for as long
 * as this program lives; print its pid when it is so.
 *
 * FILE is mounted as a FUSE file that is never read to its end. One thread reads it through
 * /proc/self/mem, which holds the memory map's lock for reading meanwhile; another then wants
 * to change the map, and whoever wants to read it queues up behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

static int wake[2], tids[2];	/* pipes: to the second thread, and its id back */

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void *read_file(void *map)
{
	char byte;
	int fd = open("/proc/self/mem", O_RDONLY);

	if (fd < 0 || pread(fd, &byte, 1, (off_t)(uintptr_t)map) != 1)
		die("/proc/self/mem");
	return NULL;
}

static void *change_map(void *unused)
{
	pid_t tid = gettid();
	char byte;

	(void)unused;
	if (write(tids[1], &tid, sizeof(tid)) != sizeof(tid) || read(wake[0], &byte, 1) != 1)
		die("pipe");
	mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return NULL;
}

static void __attribute__((noreturn)) be_stuck(const char *file)
{
	int fd = open(file, O_RDONLY);
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	pthread_t threads[2];
	struct stat st;

	/* The kernel takes the size to be 0 until it has to ask. */
	if (map == MAP_FAILED || fstat(fd, &st))
		die(file);
	if (setgroups(0, NULL) || setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000) ||
	    prctl(PR_SET_DUMPABLE, 1) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		die("alice");
	if (pthread_create(&threads[0], NULL, change_map, NULL) ||
	    pthread_create(&threads[1], NULL, read_file, map))
		die("pthread_create");
	for (;;)
		pause();
}

/* Is the task in mmap(2), asleep? */
static int waits_in_mmap(pid_t pid, pid_t tid)
{
	char path[64], state = 0;
	long number = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &number) != 1)
		number = -1;
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return number == SYS_mmap && state == 'D';
}

static void reply(int fuse, uint64_t unique, int error, const void *body, size_t size)
{
	char buf[sizeof(struct fuse_out_header) + 256];
	struct fuse_out_header out = {
		.len = (uint32_t)(sizeof(out) + size), .error = error, .unique = unique,
	};

	memcpy(buf, &out, sizeof(out));
	if (size)
		memcpy(buf + sizeof(out), body, size);
	if (write(fuse, buf, out.len) != (ssize_t)out.len)
		die("/dev/fuse");
}

/* Answer one request; true when it is the read that gets no answer. */
static int serve(int fuse)
{
	static char buf[FUSE_MIN_READ_BUFFER + PAGE];
	const struct fuse_in_header *in = (const void *)buf;

	if (read(fuse, buf, sizeof(buf)) < 0)
		die("/dev/fuse");
	switch (in->opcode) {
	case FUSE_INIT:
		reply(fuse, in->unique, 0, &(struct fuse_init_out){
			.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION,
			.max_write = PAGE }, sizeof(struct fuse_init_out));
		break;
	case FUSE_GETATTR:
		reply(fuse, in->unique, 0, &(struct fuse_attr_out){
			.attr_valid = 3600, .attr = { .ino = 1, .mode = S_IFREG | 0644,
			.nlink = 1, .size = PAGE } }, sizeof(struct fuse_attr_out));
		break;
	case FUSE_OPEN:
		reply(fuse, in->unique, 0, &(struct fuse_open_out){}, sizeof(struct fuse_open_out));
		break;
	case FUSE_READ:
		return 1;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(fuse, in->unique, -ENOSYS, NULL, 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	char options[128];
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	pid_t pid, tid;

	if (argc != 2 || fuse < 0)
		die("/dev/fuse");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=100644,user_id=0,group_id=0,allow_other", fuse);
	if (mount("stuck", argv[1], "fuse", MS_NOSUID | MS_NODEV, options))
		die(argv[1]);
	if (pipe(wake) || pipe(tids))
		die("pipe");
	pid = fork();
	if (pid == 0)
		be_stuck(argv[1]);
	while (!serve(fuse))
		;
	if (read(tids[0], &tid, sizeof(tid)) != sizeof(tid) || write(wake[1], "", 1) != 1)
		die("pipe");
	while (!waits_in_mmap(pid, tid))
		usleep(10000);
	printf("%d\n", pid);
	fflush(stdout);
	for (;;)
		pause();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fusehang DIRECTORY: keep everybody waiting who looks something up in a cgroup's directory of
 *	one's own, as any user can: read it into memory that a FUSE file system of one's own never
 *	fills, while a mkdir waits for that. Prints "stuck" when it is so; lasts until it is killed.
 * fusehang read|write FILE: never end to read it into such memory, or to write it from there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PLACE "/tmp/fusehang"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void answer(int dev, __u64 unique, int err, const void *body, size_t size)
{
	struct {
		struct fuse_out_header header;
		char body[256];
	} out = { .header = { .len = (__u32)(sizeof(out.header) + size), .error = err,
			      .unique = unique } };

	if (size)
		memcpy(out.body, body, size);
	if (write(dev, &out, out.header.len) < 0 && errno != ENOENT)
		die("answer");
}

static struct fuse_attr attr(__u64 node)
{
	return (struct fuse_attr){
		.ino = node, .size = 4096, .nlink = 1,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644,
	};
}

/* One file, whose content never comes: @told is written to when somebody wants it. */
static void __attribute__((noreturn)) serve(int dev, int told)
{
	static char in[1 << 17];

	for (;;) {
		const struct fuse_in_header *header = (void *)in;
		struct fuse_init_out init = {
			.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096,
		};
		struct fuse_entry_out entry = { .nodeid = 2, .attr = attr(2) };
		struct fuse_attr_out attributes = {};
		struct fuse_open_out opened = {};

		if (read(dev, in, sizeof(in)) < 0)
			_exit(1);
		attributes.attr = attr(header->nodeid);
		switch (header->opcode) {
		case FUSE_INIT:
			answer(dev, header->unique, 0, &init, sizeof(init));
			break;
		case FUSE_LOOKUP:
			answer(dev, header->unique, 0, &entry, sizeof(entry));
			break;
		case FUSE_GETATTR:
			answer(dev, header->unique, 0, &attributes, sizeof(attributes));
			break;
		case FUSE_OPEN:
			answer(dev, header->unique, 0, &opened, sizeof(opened));
			break;
		case FUSE_READ:
			if (write(told, "r", 1) < 0)
				_exit(1);
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break;
		default:
			answer(dev, header->unique, -ENOSYS, NULL, 0);
		}
	}
}

/* Not a thread, which would keep the server's descriptor open. */
static void child(void (*work)(const char *path), const char *path)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	work(path);
	_exit(0);
}

static void read_directory(const char *path)
{
	int file = open(PLACE "/file", O_RDONLY), dir = open(path, O_RDONLY | O_DIRECTORY);
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	if (file < 0 || dir < 0 || memory == MAP_FAILED)
		die("reading");
	syscall(SYS_getdents64, dir, memory, 4096);
}

static void use_file(const char *path, int flags)
{
	int file = open(PLACE "/file", O_RDONLY), fd = open(path, flags);
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);

	if (file < 0 || fd < 0 || memory == MAP_FAILED)
		die("using");
	if ((flags == O_RDONLY ? read(fd, memory, 64) : write(fd, memory, 64)) < 0)
		die(path);
}

static void read_file(const char *path)
{
	use_file(path, O_RDONLY);
}

static void write_file(const char *path)
{
	use_file(path, O_WRONLY);
}

static void make_directory(const char *path)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/made", path);
	mkdir(name, 0755);
}

int main(int argc, char **argv)
{
	bool reads = argc == 3 && strcmp(argv[1], "read") == 0;
	const char *path = argv[argc - 1];
	char text[64];
	uid_t uid = getuid();
	gid_t gid = getgid();
	int dev, told[2];
	pid_t server;

	if (argc != 2 && !reads && (argc != 3 || strcmp(argv[1], "write") != 0))
		return 2;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		die("unshare");
	snprintf(text, sizeof(text), "0 %u 1", uid);
	write_text("/proc/self/uid_map", text);
	write_text("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", gid);
	write_text("/proc/self/gid_map", text);
	dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (dev < 0 || pipe(told))
		die("/dev/fuse");
	mkdir(PLACE, 0755);
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	if (mount("hang", PLACE, "fuse", MS_NOSUID | MS_NODEV, text))
		die("mount");
	server = fork();
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(dev, told[1]);
	}
	close(dev);
	child(argc == 2 ? read_directory : reads ? read_file : write_file, path);
	if (read(told[0], text, 1) != 1)
		die("the server");
	if (argc == 2)
		child(make_directory, path);
	puts("stuck");
	fflush(stdout);
	pause();
	return 0;
}

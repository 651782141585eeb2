/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fusehang DIRECTORY: keep everybody waiting who looks something up in a cgroup's directory of
 *	one's own, as any user can: read it into memory that a FUSE file system of one's own never
 *	fills, while a mkdir waits for that. Prints "stuck" when it is so; lasts until it is killed.
 * fusehang read|write FILE: never end to read it into such memory, or to write it from there.
 */
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "fuse.h"

#define PLACE "/tmp/fusehang"

static int told[2];	/* written to when somebody wants the content of the file */

static struct fuse_attr attr(__u64 node)
{
	return fuse_attr(node, 4096, 0644);
}

/* One file, whose content never comes. */
static void __attribute__((noreturn)) serve(int dev)
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
			fuse_answer(dev, header->unique, 0, &init, sizeof(init));
			break;
		case FUSE_LOOKUP:
			fuse_answer(dev, header->unique, 0, &entry, sizeof(entry));
			break;
		case FUSE_GETATTR:
			fuse_answer(dev, header->unique, 0, &attributes, sizeof(attributes));
			break;
		case FUSE_OPEN:
			fuse_answer(dev, header->unique, 0, &opened, sizeof(opened));
			break;
		case FUSE_READ:
			if (write(told[1], "r", 1) < 0)
				_exit(1);
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break;
		default:
			fuse_answer(dev, header->unique, -ENOSYS, NULL, 0);
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
	char byte;

	if (argc != 2 && !reads && (argc != 3 || strcmp(argv[1], "write") != 0))
		return 2;
	become_root_of_own(CLONE_NEWNS);
	if (pipe(told))
		die("pipe");
	fuse_mount(PLACE, serve);
	child(argc == 2 ? read_directory : reads ? read_file : write_file, path);
	if (read(told[0], &byte, 1) != 1)
		die("the server");
	if (argc == 2)
		child(make_directory, path);
	puts("stuck");
	fflush(stdout);
	pause();
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A FUSE file system of a user's own, with one file, for programs that have others wait for it. */
#ifndef PSC_TEST_FUSE_H
#define PSC_TEST_FUSE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

/* In a user namespace of one's own, and other new ones by @flags (CLONE_NEW*). */
static inline void become_root_of_own(int flags)
{
	char text[64];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | flags))
		die("unshare");
	snprintf(text, sizeof(text), "0 %u 1", uid);
	write_text("/proc/self/uid_map", text);
	write_text("/proc/self/setgroups", "deny");
	snprintf(text, sizeof(text), "0 %u 1", gid);
	write_text("/proc/self/gid_map", text);
}

static inline void fuse_answer(int dev, __u64 unique, int err, const void *body, size_t size)
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

static inline struct fuse_attr fuse_attr(__u64 node, __u64 size, mode_t mode)
{
	return (struct fuse_attr){
		.ino = node, .size = size, .nlink = 1,
		.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | mode,
	};
}

/* Mount it at @place, where @serve answers in a child until the caller ends. */
static inline void fuse_mount(const char *place, void (*serve)(int dev))
{
	char text[64];
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	pid_t pid;

	if (dev < 0)
		die("/dev/fuse");
	mkdir(place, 0755);
	snprintf(text, sizeof(text), "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	if (mount("test", place, "fuse", MS_NOSUID | MS_NODEV, text))
		die("mount");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(dev);
	}
	close(dev);
}

#endif

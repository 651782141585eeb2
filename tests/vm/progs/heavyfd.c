/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heavyfd tcp|fuse [SECONDS]: pass the daemon a descriptor (SCM_RIGHTS) whose last close waits:
 *	a TCP socket that lingers, or a file of a FUSE file system of one's own that writes back
 *	and does not answer. Prints "sent", or "refused" by the kernel; lasts until it is killed.
 */
#include <arpa/inet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "daemon_socket.h"
#include "fuse.h"

#define PLACE "/tmp/heavyfd"

static atomic_int *armed;

/* A connection to the daemon from which it does not read now: its replies are not read. */
static int mute_connection(void)
{
	static const char request[] = "{\"method\":\"io.ptracescope.List\"}";
	int fd = daemon_connect(), left = 0;

	for (int i = 0; i < 5000; i++) {
		if (send(fd, request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			die("send");
		left = 1;
		for (int tries = 0; left && tries < 500; tries++) {
			if (ioctl(fd, SIOCOUTQ, &left))
				die("SIOCOUTQ");
			if (left)
				usleep(1000);
		}
		if (left)
			return fd;
	}
	errno = ETIMEDOUT;
	die("it reads on and on");
	return -1;
}

/* Return: was it taken? Since 6.16 the daemon's socket refuses it. */
static bool pass(int conn, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = ' ';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	if (sendmsg(conn, &msg, MSG_NOSIGNAL) == 1)
		return true;
	if (errno != EPERM)
		die("sendmsg");
	return false;
}

static int lingering(int seconds)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger linger = { 1, seconds };
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t len = sizeof(address);
	static char bytes[65536];
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	if (ioctl(listener, SIOCSIFFLAGS, &lo))
		die("lo");
	if (bind(listener, (void *)&address, sizeof(address)) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &len) ||
	    connect(fd, (void *)&address, sizeof(address)) || accept(listener, NULL, NULL) < 0)
		die("tcp");
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		die("SO_LINGER");
	return fd;
}

static struct fuse_attr attr(__u64 node)
{
	return fuse_attr(node, 0, 0666);
}

static void __attribute__((noreturn)) serve(int dev)
{
	static char in[1 << 18];

	for (;;) {
		const struct fuse_in_header *header = (void *)in;
		struct fuse_init_out init = {
			.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096,
			.flags = FUSE_WRITEBACK_CACHE | FUSE_ASYNC_READ | FUSE_BIG_WRITES,
			.max_background = 16, .congestion_threshold = 12, .time_gran = 1,
		};
		struct fuse_entry_out entry = { .nodeid = 2, .attr = attr(2), .attr_valid = 1000,
						.entry_valid = 1000 };
		struct fuse_attr_out attributes = { .attr_valid = 1000 };
		const struct fuse_write_in *w = (void *)(in + sizeof(*header));
		struct fuse_write_out wrote = { .size = w->size };
		struct fuse_open_out opened = {};

		if (read(dev, in, sizeof(in)) < 0)
			_exit(1);
		attributes.attr = attr(header->nodeid);
		if (atomic_load(armed)) {
			fprintf(stderr, "fuse: not answering %u\n", header->opcode);
			continue;
		}
		switch (header->opcode) {
		case FUSE_INIT:
			fuse_answer(dev, header->unique, 0, &init, sizeof(init));
			break;
		case FUSE_LOOKUP:
			fuse_answer(dev, header->unique, 0, &entry, sizeof(entry));
			break;
		case FUSE_GETATTR:
		case FUSE_SETATTR:
			fuse_answer(dev, header->unique, 0, &attributes, sizeof(attributes));
			break;
		case FUSE_OPEN:
			fuse_answer(dev, header->unique, 0, &opened, sizeof(opened));
			break;
		case FUSE_WRITE:
			fuse_answer(dev, header->unique, 0, &wrote, sizeof(wrote));
			break;
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			break;
		case FUSE_RELEASE:
			fuse_answer(dev, header->unique, 0, NULL, 0);
			break;
		default:
			fuse_answer(dev, header->unique, -ENOSYS, NULL, 0);
		}
	}
}

int main(int argc, char **argv)
{
	static char page[4096];
	int conn, fd, again = -1;

	armed = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "tcp") == 0) {
		become_root_of_own(CLONE_NEWNET);
		fd = lingering(argc > 2 ? atoi(argv[2]) : 1000);
	} else {
		become_root_of_own(CLONE_NEWNS);
		fuse_mount(PLACE, serve);
		fd = open(PLACE "/file", O_RDWR);
		again = open(PLACE "/file", O_RDWR);
		if (fd < 0 || again < 0)
			die(PLACE);
	}
	conn = mute_connection();
	if (!pass(conn, fd)) {
		puts("refused");
		fflush(stdout);
		for (;;)
			pause();
	}
	close(fd);
	if (again >= 0) {
		if (write(again, page, sizeof(page)) != sizeof(page))
			die("write");
		atomic_store(armed, 1);
	}
	close(conn);
	puts("sent");
	fflush(stdout);
	for (;;)
		pause();
}

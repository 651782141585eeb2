/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conn hold COMMAND...: connect to the daemon's socket as descriptor 3, run the command with it
 * conn set NAME VALUE: call Set on descriptor 3, print the reply
 * conn sets NAME VALUE N: the same N times, print nothing
 * conn notes: what the kernel notes of connections to a marked and an unmarked listening socket
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon_socket.h"
#include "kernel.h"

#define HELD 3

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static int hold(char **command)
{
	int fd = daemon_connect();

	if (fd != HELD && (dup2(fd, HELD) < 0 || close(fd)))
		die("dup2");
	execvp(command[0], command);
	die(command[0]);
}

static int set(const char *name, const char *value, int show)
{
	char text[1024];
	size_t len = 0;
	int size = snprintf(text, sizeof(text), "{\"method\":\"io.ptracescope.Set\",\"parameters\":"
			    "{\"name\":\"%s\",\"value\":%s}}", name, value);

	if (write(HELD, text, (size_t)size + 1) != size + 1)
		die("write");
	do {
		ssize_t n = read(HELD, text + len, sizeof(text) - len);

		if (n <= 0)
			die("read");
		len += (size_t)n;
	} while (text[len - 1]);
	if (show)
		puts(text);
	return EXIT_SUCCESS;
}

static int sets(const char *name, const char *value, int n)
{
	while (n-- > 0)
		set(name, value, 0);
	return EXIT_SUCCESS;
}

/* Connect to a listening socket of our own, print what was noted of that. */
static void note(struct psc_kernel *kernel, const char *word, int mark)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sa_family_t);	/* the kernel picks an abstract name */
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct psc_peer peer = {};
	int fd, err;

	if (bind(listener, (const void *)&address, len) || listen(listener, 1))
		die("listen");
	len = sizeof(address);
	if (getsockname(listener, (void *)&address, &len))
		die("getsockname");
	if (mark && psc_kernel_mark_listener(kernel, listener))
		die("mark");
	if (connect(client, (const void *)&address, len))
		die("connect");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	err = psc_kernel_peer(kernel, fd, &peer);
	printf("%s: %s, capable %u, pid %s\n", word, err ? strerror(-err) : "noted", peer.capable,
	       peer.pid == (unsigned int)getpid() ? "ours" : "none");
	close(fd);
	close(client);
	close(listener);
}

int main(int argc, char **argv)
{
	struct psc_kernel *kernel;

	if (argc > 2 && strcmp(argv[1], "hold") == 0)
		return hold(argv + 2);
	if (argc == 4 && strcmp(argv[1], "set") == 0)
		return set(argv[2], argv[3], 1);
	if (argc == 5 && strcmp(argv[1], "sets") == 0)
		return sets(argv[2], argv[3], atoi(argv[4]));
	if (argc == 2 && strcmp(argv[1], "notes") == 0) {
		if (psc_kernel_open(PSC_PIN_DIR, &kernel))
			die(PSC_PIN_DIR);
		note(kernel, "marked", 1);
		note(kernel, "unmarked", 0);
		psc_kernel_close(kernel);
		return EXIT_SUCCESS;
	}
	fputs("usage: conn hold COMMAND... | set NAME VALUE | notes\n", stderr);
	return 2;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to the daemon, for programs that misuse it. */
#ifndef DAEMON_SOCKET_H
#define DAEMON_SOCKET_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "interface.h"

/* Return: a descriptor; without a daemon the program ends. */
static inline int daemon_connect(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = PSC_SOCKET_PATH };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const void *)&address, sizeof(address))) {
		perror(PSC_SOCKET_PATH);
		exit(EXIT_FAILURE);
	}
	return fd;
}

#endif

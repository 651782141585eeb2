/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Send something to a port of this machine, and print what comes back until the end.
 *
 * usage: scrape PORT TEXT         backslashes as in printf(1): \r, \n
 * Exit code 0; 1 if nothing came back; 2 if nobody listens.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '\\' && (text[1] == 'r' || text[1] == 'n'))
			*to++ = *++text == 'r' ? '\r' : '\n';
		else
			*to++ = *text;
	}
	*to = '\0';
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), any = 0;
	char buf[4096];
	ssize_t n;

	if (argc != 3)
		return 2;
	unescape(argv[2]);
	address.sin_port = htons((unsigned short)atoi(argv[1]));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("connect");
		return 2;
	}
	if (write(fd, argv[2], strlen(argv[2])) < 0)
		perror("write");
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		fwrite(buf, 1, (size_t)n, stdout);
		any = 1;
	}
	return !any;
}

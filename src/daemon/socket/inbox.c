/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects bytes and cuts messages from them. */
#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READ_SIZE 4096

static char *find_end(struct psc_inbox *inbox)
{
	size_t len = inbox->end - inbox->start;
	char *begin, *nul;

	if (len == inbox->scanned)	/* also when there is no buffer */
		return NULL;
	begin = inbox->bytes + inbox->start;
	nul = memchr(begin + inbox->scanned, '\0', len - inbox->scanned);
	inbox->scanned = nul ? (size_t)(nul - begin) : len;
	return nul;
}

bool psc_inbox_has_message(struct psc_inbox *inbox)
{
	return find_end(inbox);
}

const char *psc_inbox_next(struct psc_inbox *inbox, size_t *ret_len)
{
	const char *nul = find_end(inbox), *begin;

	if (!nul)
		return NULL;
	begin = inbox->bytes + inbox->start;
	*ret_len = (size_t)(nul - begin);
	inbox->start += *ret_len + 1;
	inbox->scanned = 0;
	return begin;
}

void psc_inbox_put_back(struct psc_inbox *inbox, size_t len)
{
	inbox->start -= len + 1;
}

int psc_inbox_make_room(struct psc_inbox *inbox, size_t max)
{
	size_t room;
	char *bytes;

	if (inbox->start) {
		inbox->end -= inbox->start;
		memmove(inbox->bytes, inbox->bytes + inbox->start, inbox->end);
		inbox->start = 0;
	}
	if (inbox->end < inbox->room)
		return 0;
	room = inbox->room ? 2 * inbox->room : READ_SIZE;
	if (room > max)
		room = max;
	bytes = realloc(inbox->bytes, room);
	if (!bytes)
		return -ENOMEM;
	inbox->bytes = bytes;
	inbox->room = room;
	return 0;
}

void psc_inbox_free(struct psc_inbox *inbox)
{
	free(inbox->bytes);
	*inbox = (struct psc_inbox){ 0 };
}

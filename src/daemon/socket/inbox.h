/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was read from a connection and is not answered yet: messages that end with a NUL. */
#ifndef PSC_INBOX_H
#define PSC_INBOX_H

#include <stdbool.h>
#include <stddef.h>

struct psc_inbox {
	char *bytes;
	size_t start, end;	/* what there is */
	size_t scanned;		/* there is no NUL in so many bytes from start */
	size_t room;		/* bytes allocated */
};

/* Is there a whole message? Looks at every byte once. */
bool psc_inbox_has_message(struct psc_inbox *inbox);

/* Take the first whole message out; it stays in place for now. NULL: there is none. */
const char *psc_inbox_next(struct psc_inbox *inbox, size_t *ret_len);

/* Put the last one back. */
void psc_inbox_put_back(struct psc_inbox *inbox, size_t len);

/* Make room to read into, behind what there is: up to @max bytes. Return: 0 or -ENOMEM. */
int psc_inbox_make_room(struct psc_inbox *inbox, size_t max);

/* Idle connections hold no buffer. */
void psc_inbox_free(struct psc_inbox *inbox);

#endif

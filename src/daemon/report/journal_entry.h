/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals, of accesses and of tampering, as journal entries. */
#ifndef PSC_JOURNAL_ENTRY_H
#define PSC_JOURNAL_ENTRY_H

#include <stddef.h>

#include "message_id.h"
#include "ptracescope.h"

#define PSC_JOURNAL_FIELDS_MAX 32

/* A journal entry: "NAME=value" strings, systemd.journal-fields(7). */
struct psc_journal_entry {
	size_t n;
	char *fields[PSC_JOURNAL_FIELDS_MAX];
};

/**
 * psc_journal_format - the journal entry for an event
 * @event, @size: as read from the ring buffer
 * @proc: where /proc is; NULL for only what the event itself says. Reading there
 *	may block for as long as the process described likes.
 * @ret: freed by psc_journal_clear(); unwritten on error
 *
 * Return: 0, -EBADMSG when it is no event of this ABI, -ENOMEM.
 */
int psc_journal_format(const void *event, size_t size, const char *proc,
		       struct psc_journal_entry *ret);

/* The value of a field, NULL when it is not there. */
const char *psc_journal_get(const struct psc_journal_entry *entry, const char *name);

/* Append a "NAME=value" allocation, which is taken over. Return: 0, -ENOMEM for NULL, -E2BIG. */
int psc_journal_add(struct psc_journal_entry *entry, char *field);

/* To the journal with all fields; where there is none, or it fails, the message to stderr. */
void psc_journal_emit(const struct psc_journal_entry *entry);

void psc_journal_clear(struct psc_journal_entry *entry);

/* The entry for refusals that were not reported one by one. Return: 0 or -ENOMEM. */
int psc_journal_format_suppressed(__u64 suppressed, __u64 dropped, struct psc_journal_entry *ret);

/* Say once how many that were; nothing when there were none. */
void psc_journal_suppressed(__u64 suppressed, __u64 dropped);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the table of prerequisites, and how the checks read files. */
#include "prereq_checker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "util.h"

#define READ_MAX 65536		/* of any file of /proc and /sys that is read here */
#define SHOWN_MAX 400		/* bytes of it in the table */

int psc_row(struct psc_prereq_checker *c, const char *what, enum psc_prereq_state state,
	    char *found, char *remedy)
{
	struct psc_prereq *row = &c->table->rows[c->table->n];

	if (!found || c->table->n == PSC_PREREQS_MAX) {
		free(found);
		free(remedy);
		return found ? -E2BIG : -ENOMEM;
	}
	*row = (struct psc_prereq){ what, state, found, remedy };
	c->table->n++;
	return 0;
}

char *psc_prereq_shown(const char *found)
{
	return psc_escape(found, strlen(found), SHOWN_MAX);
}

int psc_prereq_path(const char *root, const char *path, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s%s", root, path) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int psc_prereq_read(const char *root, const char *name, char **ret)
{
	char path[PATH_MAX], *stripped;
	_cleanup_free_ char *content = NULL;
	int err = psc_prereq_path(root, name, path) ?:
		  psc_read_file(path, READ_MAX, &content, NULL);

	if (err)
		return err;
	stripped = psc_strip(content);
	memmove(content, stripped, strlen(stripped) + 1);
	*ret = TAKE_PTR(content);
	return 0;
}

int psc_row_unreadable(struct psc_prereq_checker *c, const char *what, const char *path, int err)
{
	return psc_row(c, what, PSC_PREREQ_UNKNOWN, psc_text("%s: %s", path, strerror(-err)), NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at what is pinned already, without changing it. */
#include "prereq_pins.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "kernel.h"
#include "util.h"

static int row(struct psc_prereq *ret, enum psc_prereq_state state, char *found, char *remedy)
{
	*ret = (struct psc_prereq){ "programs in force", state, found, remedy };
	if (found && (remedy || state != PSC_PREREQ_MISSING))
		return 0;
	free(found);
	free(remedy);
	return -ENOMEM;
}

/* The name of a pin that should be there, or NULL. */
static const char *missing_pin(const char *dir, bool sees_moves)
{
	for (int i = 0; i < PSC_PINS; i++) {
		char path[PATH_MAX];

		if ((i == PSC_PIN_CG_ATTACH && !sees_moves) || i == PSC_PIN_EXPLAIN)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, psc_pins[i].name) < PATH_MAX &&
		    access(path, F_OK) < 0 && errno == ENOENT)
			return psc_pins[i].name;
	}
	return NULL;
}

/* A set that no daemon of this version works with. */
static int refused(struct psc_prereq *ret, const char *dir, char *found)
{
	return row(ret, PSC_PREREQ_MISSING, found,
		   psc_text("to be rid of it, which ends what is left of enforcement: rm -r %s", dir));
}

static int ask(const char *dir, struct psc_prereq *ret)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	_cleanup_close_ int fd = -1;
	const char *missing;
	char path[PATH_MAX];
	int err;

	if (snprintf(path, sizeof(path), "%s/%s", dir, psc_pins[PSC_PIN_CTL].name) >= PATH_MAX)
		return row(ret, PSC_PREREQ_UNKNOWN, psc_text("%s", strerror(ENAMETOOLONG)), NULL);
	fd = bpf_obj_get(path);
	if (fd < 0 && errno == ENOENT)
		return refused(ret, dir, psc_text("%s is incomplete: no %s", dir,
					      psc_pins[PSC_PIN_CTL].name));
	if (fd < 0)
		return row(ret, PSC_PREREQ_UNKNOWN, psc_text("%s: %s", path, strerror(errno)), NULL);
	err = psc_ctl_run(fd, &info);
	if (info.abi != PSC_ABI)
		return row(ret, PSC_PREREQ_MISSING, psc_text("those in %s are of ABI %u, this version "
							 "speaks ABI %u", dir, info.abi, PSC_ABI),
			   psc_text("start a daemon of their version, or reboot; without a floor: rm -r %s",
				dir));
	if (err)
		return refused(ret, dir, psc_text("%s does not run: %s", path, strerror(-err)));
	missing = missing_pin(dir, info.sees_moves);
	if (missing)
		return refused(ret, dir, psc_text("%s is incomplete: no %s", dir, missing));
	return row(ret, PSC_PREREQ_INFO, psc_text("build %016llx%s", info.build,
					      info.locked ? ", under a floor until reboot" : ""), NULL);
}

int psc_prereq_pins(const char *dir, struct psc_prereq *ret)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return errno == ENOENT ?
			row(ret, PSC_PREREQ_INFO, psc_text("none"), NULL) :
			row(ret, PSC_PREREQ_UNKNOWN, psc_text("%s: %s", dir, strerror(errno)), NULL);
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 022))
		return row(ret, PSC_PREREQ_MISSING, psc_text("%s is not ours, but uid %u's, mode %04o", dir,
							 st.st_uid, st.st_mode & 07777),
			   psc_text("chmod 0700 %.*s && rm -r %s", (int)(strrchr(dir, '/') - dir), dir,
				dir));
	return ask(dir, ret);
}

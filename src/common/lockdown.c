/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and raises the level in /sys/kernel/security/lockdown. */
#include "lockdown.h"

#include <errno.h>
#include <fcntl.h>

#include "log.h"
#include "plain.h"
#include "util.h"

static const char wanted[] = "integrity";

const char *psc_lockdown_level(void)
{
	/* As the file shows them: "none [integrity] confidentiality" */
	static const struct {
		const char *shown, *level;
	} levels[] = {
		{ "[none]", "none" },
		{ "[integrity]", wanted },
		{ "[confidentiality]", "confidentiality" },
	};
	_cleanup_close_ int fd = psc_plain_open_security("lockdown", O_RDONLY);
	_cleanup_free_ char *text = NULL;

	if (fd < 0 || psc_read_fd(fd, 256, &text, NULL))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strstr(text, levels[i].shown))
			return levels[i].level;
	return NULL;
}

/* What to say of an error. */
static const char *explain(int err)
{
	switch (err) {
	case -ENOENT:
		return "not there; is \"lockdown\" in the kernel's lsm= list?";
	case -EUCLEAN:
		return "not the kernel's: securityfs is not mounted, or something is mounted over it";
	default:
		return strerror(-err);
	}
}

int psc_lockdown_raise(void)
{
	const char *level = psc_lockdown_level();
	_cleanup_close_ int fd = -1;
	int err;

	if (level && !streq(level, "none"))
		return 0;
	fd = psc_plain_open_security("lockdown", O_WRONLY);
	err = fd < 0 ? fd : write(fd, wanted, strlen(wanted)) < 0 ? -errno : 0;
	if (err)
		return psc_log_err(err, "the kernel's lockdown cannot be raised to %s: "
				   "/sys/kernel/security/lockdown: %s", wanted, explain(err));
	psc_notice("the kernel's lockdown is raised to %s, until reboot", wanted);
	return 0;
}

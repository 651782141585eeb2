/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lockdown.h"

#include <errno.h>
#include <fcntl.h>

#include "log.h"
#include "util.h"

static const char file[] = "/sys/kernel/security/lockdown";
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
	_cleanup_free_ char *text = NULL;

	if (psc_read_file(file, 256, &text, NULL))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		if (strstr(text, levels[i].shown))
			return levels[i].level;
	return NULL;
}

int psc_lockdown_raise(void)
{
	const char *level = psc_lockdown_level();
	_cleanup_close_ int fd = -1;

	if (level && !streq(level, "none"))
		return 0;
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, wanted, strlen(wanted)) < 0)
		return psc_log_err(-errno, "the kernel's lockdown cannot be raised to %s: %s: %s%s",
				   wanted, file, strerror(errno), errno == ENOENT ?
				   "; is \"lockdown\" in the kernel's lsm= list?" : "");
	psc_notice("the kernel's lockdown is raised to %s, until reboot", wanted);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaches a loaded set of programs and puts its pins in place. */
#include "set.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "log.h"
#include "place.h"
#include "unload.h"
#include "util.h"

static int pin_path(char path[PATH_MAX], const char *dir, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Where the skeleton keeps the link of a program, so that destroying it detaches. */
static struct bpf_link **link_slot(struct ptracescope_bpf *skel, const char *name)
{
	for (int i = 0; i < skel->skeleton->prog_cnt; i++)
		if (streq(skel->skeleton->progs[i].name, name))
			return skel->skeleton->progs[i].link;
	return NULL;
}

/* The program behind a pin that is made of one, as fitted to the kernel. */
static struct bpf_program *program_of(struct ptracescope_bpf *skel, const struct psc_pin *pin)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, pin->name);

	if (pin->before && prog && !bpf_program__autoload(prog))
		prog = bpf_object__find_program_by_name(skel->obj, pin->before);
	return prog;
}

/* Attach all hooks in the order of the pins. */
static int attach_set(struct ptracescope_bpf *skel)
{
	for (int i = 0; i < PSC_PINS; i++) {
		const char *name = psc_pins[i].name;
		struct bpf_link **slot = link_slot(skel, name);
		struct bpf_program *prog = program_of(skel, &psc_pins[i]);

		if (psc_pins[i].kind != PSC_PIN_LINK)
			continue;
		if (!slot || !prog)
			return -ENOENT;
		if (!bpf_program__autoload(prog) || *slot)	/* left out, or attached by load() */
			continue;
		*slot = bpf_program__attach(prog);
		if (!*slot)
			return psc_log_err(-errno, "attaching %s failed: %s; \"ptracescoped "
					   "--check\" tells what is missing", name,
					   strerror(errno));
	}
	return 0;
}

/* The descriptor of what a pin is made of, or -1. */
static int object_fd(struct ptracescope_bpf *skel, const struct psc_pin *pin)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(skel->obj, pin->name);
	struct bpf_map *map = bpf_object__find_map_by_name(skel->obj, psc_pin_object(pin));
	struct bpf_link **slot = link_slot(skel, pin->name);

	switch (pin->kind) {
	case PSC_PIN_MAP:
		return map ? bpf_map__fd(map) : -1;
	case PSC_PIN_PROG:
		return prog ? bpf_program__fd(prog) : -1;
	case PSC_PIN_LINK:
		return slot && *slot ? bpf_link__fd(*slot) : -1;
	}
	return -1;
}

static int pin_set(struct ptracescope_bpf *skel, const char *dir)
{
	if (mkdir(dir, 0700) < 0)
		return -errno;
	for (int i = 0; i < PSC_PINS; i++) {
		int fd = object_fd(skel, &psc_pins[i]);
		char path[PATH_MAX];
		int err = pin_path(path, dir, psc_pins[i].name);

		if (i == PSC_PIN_CG_ATTACH && !skel->rodata->psc_sees_moves)
			continue;
		if (err)
			return err;
		if (fd < 0)
			return -ENOENT;
		if (bpf_obj_pin(fd, path))
			return -errno;
	}
	return 0;
}

int psc_set_publish(struct ptracescope_bpf *skel, const char *dir, bool replace)
{
	_cleanup_close_ int place = psc_place_open(dir, true);
	char staging[PATH_MAX];
	int err, leftover;

	err = place < 0 ? place : psc_unload_staging(staging, dir);
	if (err)
		return err;
	if (!psc_ftrace_enabled())
		return psc_unload_without_ftrace("attached");
	err = attach_set(skel);
	if (err)
		return err;
	/* What an interrupted start left may go now that this set is attached. */
	err = psc_unload_set(staging);
	if (!err)
		err = pin_set(skel, staging);
	if (!err && renameat2(AT_FDCWD, staging, AT_FDCWD, dir,
			      replace ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
		err = -errno;
	/* Now the predecessor's, or what could not be published. */
	leftover = err || replace ? psc_unload_set(staging) : 0;
	if (leftover)
		psc_warning("%s could not be removed: %s", staging, strerror(-leftover));
	if (err)
		return psc_log_err(err, "pinning to %s failed: %s; is it in a bpffs that root can "
				   "write? findmnt -t bpf", dir, strerror(-err));
	return 0;
}

int psc_set_verify(struct ptracescope_bpf *skel, const struct psc_kernel *kernel, const char *dir)
{
	for (int i = 0; i < PSC_PINS; i++) {
		const struct psc_pin *pin = &psc_pins[i];
		__u32 id = kernel->fds[i] < 0 ? 0 : psc_object_id(pin, kernel->fds[i]);

		if (kernel->fds[i] >= 0 && (!id || id != psc_object_id(pin, object_fd(skel, pin))))
			return psc_log_err(-EUCLEAN, "%s/%s is not what was pinned there just now: "
					   "another process replaced it; end it, and start the "
					   "daemon again", dir, pin->name);
	}
	return 0;
}

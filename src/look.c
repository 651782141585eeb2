/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "look.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <time.h>

#include "log.h"
#include "util.h"

/* Programs that have just gone hold their maps a little longer. */
#define LOOKS_MAX 50
#define LOOKS_FOR_PROGRAMS 10		/* which may still be going themselves */
#define LOOK_AGAIN_NS (20 * 1000 * 1000)

static __u32 prog_id(int prog_fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

static __u32 linked_prog_id(int link_fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(link_fd, &info, &len) ? 0 : info.prog_id;
}

/* Is this program one of the set in force, or of those loaded just now? */
static bool is_own(const struct psc_kernel *kernel, const struct psc_lock *lock, __u32 id)
{
	if (id == prog_id(kernel->fds[PSC_PIN_CTL]) ||
	    id == prog_id(kernel->fds[PSC_PIN_SECTIONS]) ||
	    id == prog_id(kernel->fds[PSC_PIN_FIND]) || id == prog_id(lock->sysctl_fd) ||
	    id == linked_prog_id(lock->scan_fd) || id == linked_prog_id(lock->scan_maps_fd) ||
	    psc_anchor_has(&lock->anchor, id))
		return true;
	for (int i = 0; i < PSC_PINS; i++)
		if (psc_pins[i].kind == PSC_PIN_LINK && linked_prog_id(kernel->fds[i]) == id)
			return true;
	return false;
}

/* One record of an iterator. Return: 1, 0 at the end, or a negative errno. */
static int next_record(int fd, void *record, size_t size)
{
	ssize_t n = read(fd, record, size);

	return n < 0 ? -errno : !n ? 0 : (size_t)n == size ? 1 : -EIO;
}

/*
 * Does anybody but its link hold a program of ours? Of psc_ctl people may; those that
 * look are held by the looking; psc_g_sysctl and the anchor by us, a pin and the root cgroup.
 */
static bool is_held(const struct psc_kernel *kernel, const struct psc_lock *lock,
		    const struct psc_found_prog *found)
{
	if (lock->has_sysctl && found->id == prog_id(lock->sysctl_fd))
		return found->refs != 3;
	if (psc_anchor_has(&lock->anchor, found->id))
		return found->refs != (lock->anchor.n_attached ? 3 : 1);
	return found->refs != 1 && found->id != prog_id(kernel->fds[PSC_PIN_CTL]) &&
	       found->id != prog_id(kernel->fds[PSC_PIN_SECTIONS]) &&
	       found->id != prog_id(kernel->fds[PSC_PIN_FIND]) &&
	       found->id != linked_prog_id(lock->scan_fd) &&
	       found->id != linked_prog_id(lock->scan_maps_fd);
}

/*
 * Name the programs of others that would undo a floor, and count for each of the
 * policy's maps which programs of ours use it.
 */
static int look_at_programs(const struct psc_kernel *kernel, const struct psc_lock *lock,
			    __u64 uses[PSC_POLICY_MAPS], bool *ret_held, bool last)
{
	_cleanup_close_ int fd = bpf_iter_create(lock->scan_fd);
	struct psc_found_prog found;
	int more, err = 0;

	if (fd < 0)
		return -errno;
	while ((more = next_record(fd, &found, sizeof(found))) > 0) {
		if (found.map < PSC_POLICY_MAPS)
			uses[found.map]++;
		if (is_own(kernel, lock, found.id)) {
			*ret_held = *ret_held || is_held(kernel, lock, &found);
			continue;
		}
		found.name[sizeof(found.name) - 1] = '\0';
		err = -EBUSY;
		if (last)
			psc_log(LOG_ERR, "no floor while BPF program %u (%s) is loaded: it %s",
				found.id, found.name, found.map < PSC_POLICY_MAPS ?
				"uses the policy's maps" : "could overrule this daemon's");
	}
	return more < 0 ? more : err;
}

/* Is one of the policy's maps in order? What is not is logged when this is the @last look. */
static bool is_alone(const struct psc_found_map *found, __u64 uses, bool last)
{
	const char *name = psc_pins[found->index].name;

	if (!(found->is & PSC_FOUND_PINNED)) {
		if (last)
			psc_log(LOG_ERR, "no floor without the pin of the policy's map %s", name);
		return false;
	}
	if (found->users == 1 && found->refs == found->users + uses)
		return true;
	if (last)
		psc_log(LOG_ERR, "no floor while somebody else holds the policy's map %s: "
			"%llu descriptors or pins too many, %lld other references", name,
			found->users - 1, (long long)(found->refs - found->users - uses));
	return false;
}

/* What psc_scan_maps found for all maps alike. */
static bool is_quiet(__u32 found, const char *dir, bool last)
{
	if (last && (found & PSC_FOUND_CHANGING))
		psc_log(LOG_ERR, "no floor while somebody is removing or renaming something in %s "
			"or in a directory above it", dir);
	if (last && (found & PSC_FOUND_SWITCHING))
		psc_log(LOG_ERR, "no floor while somebody is writing kernel.ftrace_enabled");
	return !(found & (PSC_FOUND_CHANGING | PSC_FOUND_SWITCHING));
}

/* Does anything refer to the policy's maps besides their pins and our programs? 0 or -EBUSY. */
static int look_at_maps(struct psc_lock *lock, const char *dir,
			const __u64 uses[PSC_POLICY_MAPS], bool last)
{
	_cleanup_close_ int fd = bpf_iter_create(lock->scan_maps_fd);
	struct psc_found_map found;
	int more, n = 0, err = 0;
	__u32 all = 0;

	if (fd < 0)
		return -errno;
	for (; (more = next_record(fd, &found, sizeof(found))) > 0; n++) {
		if (found.index >= PSC_POLICY_MAPS)
			return -EIO;
		/* The two that look will go. */
		if (found.index == PSC_MAP_STATE)
			lock->references = (__u32)found.refs - 2;
		if (!is_alone(&found, uses[found.index], last))
			err = -EBUSY;
		all |= found.is;
	}
	if (!is_quiet(all, dir, last))
		err = -EBUSY;
	return more < 0 ? more : n != PSC_POLICY_MAPS ? -EIO : err;
}

static __u32 object_id(const struct psc_pin *pin, int fd)
{
	struct bpf_link_info link = {};
	struct bpf_map_info map = {};
	__u32 len;

	switch (pin->kind) {
	case PSC_PIN_MAP:
		len = sizeof(map);
		return bpf_obj_get_info_by_fd(fd, &map, &len) ? 0 : map.id;
	case PSC_PIN_PROG:
		return prog_id(fd);
	case PSC_PIN_LINK:
		len = sizeof(link);
		return bpf_obj_get_info_by_fd(fd, &link, &len) ? 0 : link.id;
	}
	return 0;
}

/*
 * Is everything that may be opened still pinned in the directory that is guarded? What keeps
 * it in force would else be our own descriptors. Return: 0 or -EUCLEAN, after a message.
 */
static int look_at_pins(const struct psc_kernel *kernel, const char *dir,
			const struct psc_lock *lock)
{
	int err = 0;

	for (int i = 0; i < PSC_PINS; i++) {
		_cleanup_close_ int fd = -1;
		char path[64 + NAME_MAX];
		__u32 id;

		if (psc_pins[i].secret || kernel->fds[i] < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", lock->dir_fd, psc_pins[i].name);
		fd = bpf_obj_get(path);
		id = fd < 0 ? 0 : object_id(&psc_pins[i], fd);
		if (!id || id != object_id(&psc_pins[i], kernel->fds[i]))
			err = psc_log_err(-EUCLEAN, "no floor without the pin %s/%s of what is in "
					  "force", dir, psc_pins[i].name);
	}
	return err;
}

/*
 * Once nobody is in the middle of writing it, it stays as it is: psc_g_sysctl refuses the next
 * one. Who wrote 0 just before would have switched off what is to be locked, until reboot.
 */
static int look_at_ftrace(const struct psc_lock *lock)
{
	char value = 0;

	if (lock->ftrace_fd < 0)
		return 0;
	if (pread(lock->ftrace_fd, &value, 1, 0) != 1)
		return psc_log_err(-EIO, "no floor, as kernel.ftrace_enabled cannot be read");
	if (value != '0')
		return 0;
	return psc_log_err(-EBUSY, "no floor while kernel.ftrace_enabled is 0, which switches BPF "
			   "programs off: sysctl -w kernel.ftrace_enabled=1");
}

int psc_look_around(const struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	static const struct timespec pause = { .tv_nsec = LOOK_AGAIN_NS };
	int err = -EBUSY;

	for (int i = 1; i <= LOOKS_MAX; i++) {
		bool held = false, last_for_programs = i >= LOOKS_FOR_PROGRAMS;
		__u64 uses[PSC_POLICY_MAPS] = {};

		err = look_at_programs(kernel, lock, uses, &held, last_for_programs);
		if (err && (err != -EBUSY || last_for_programs))
			return err;
		if (!err)
			err = look_at_maps(lock, dir, uses, i == LOOKS_MAX);
		if (!err && held)
			err = -EBUSY;
		if (held && i == LOOKS_MAX)
			psc_log(LOG_ERR, "no floor while somebody else holds a program of the set "
				"in force");
		if (err != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	if (!err)
		err = look_at_ftrace(lock);
	return err ? err : look_at_pins(kernel, dir, lock);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks for BPF programs, maps and descriptors that could undo a floor. */
#include "look.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "log.h"
#include "plain.h"
#include "util.h"

/* Programs that have just gone hold their maps a little longer. */
#define LOOKS_MAX 50
#define LOOKS_FOR_PROGRAMS 10		/* which may still be going themselves */
#define LOOK_AGAIN_NS (20 * 1000 * 1000)
#define SETTLES_MAX 150

static __u32 linked_prog_id(int link_fd)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(link_fd, &info, &len) ? 0 : info.prog_id;
}

/* Is it one of those that look, or psc_grace? They go before there is a floor. */
static bool is_passing(const struct psc_lock *lock, __u32 id)
{
	for (int i = 0; i < PSC_LOOKS; i++)
		if (id == (i == PSC_LOOK_GRACE ? psc_prog_id(lock->look_fds[i]) :
						 linked_prog_id(lock->look_fds[i])))
			return true;
	return false;
}

/* Is it one of the root cgroup's? */
static bool is_anchored(const struct psc_lock *lock, __u32 id)
{
	return id == lock->sysctl.id || psc_anchor_find(&lock->anchor, id) >= 0;
}

/* The pin that a program of the set in force has, or whose link has; PSC_PINS: none. */
static int pin_of(const struct psc_kernel *kernel, __u32 id)
{
	int i = 0;

	while (i < PSC_PINS && !(psc_pins[i].kind == PSC_PIN_PROG ?
				 psc_prog_id(kernel->fds[i]) == id :
				 psc_pins[i].kind == PSC_PIN_LINK &&
				 linked_prog_id(kernel->fds[i]) == id))
		i++;
	return i;
}

/* One record of an iterator. Return: 1, 0 at the end, or a negative errno. */
static int next_record(int fd, void *record, size_t size)
{
	ssize_t n = read(fd, record, size);

	return n < 0 ? -errno : !n ? 0 : (size_t)n == size ? 1 : -EIO;
}

/* What the looking finds. */
struct findings {
	__u64 uses[PSC_POLICY_MAPS];	/* programs of ours that use each of the maps */
	__u32 passing;			/* of those of psc_state, who are about to go */
	bool held;			/* somebody holds a program */
	bool pinned[PSC_PINS];		/* links */
};

/*
 * Is it one of ours? Then note what there is to it. Nobody but their links may hold those of
 * the set; of psc_ctl and its like people may have descriptors. Those of the root cgroup are
 * looked at there.
 */
static bool note_own(const struct psc_kernel *kernel, const struct psc_lock *lock,
		     const struct psc_found_prog *found, struct findings *ret)
{
	int pin;

	if (is_passing(lock, found->id)) {
		ret->passing += found->map == PSC_MAP_STATE;
		return true;
	}
	if (is_anchored(lock, found->id))
		return true;
	pin = pin_of(kernel, found->id);
	if (pin == PSC_PINS)
		return false;
	ret->held = ret->held || (psc_pins[pin].kind == PSC_PIN_LINK && found->refs != 1);
	return true;
}

/*
 * Name the programs of others that would undo a floor, and count for each of the
 * policy's maps which programs of ours use it.
 */
static int look_at_programs(const struct psc_kernel *kernel, const struct psc_lock *lock,
			    struct findings *ret, bool last)
{
	_cleanup_close_ int fd = bpf_iter_create(lock->look_fds[PSC_LOOK_PROGRAMS]);
	struct psc_found_prog found;
	int more, err = 0;

	if (fd < 0)
		return -errno;
	while ((more = next_record(fd, &found, sizeof(found))) > 0) {
		if (found.map < PSC_POLICY_MAPS)
			ret->uses[found.map]++;
		if (note_own(kernel, lock, &found, ret))
			continue;
		found.name[sizeof(found.name) - 1] = '\0';
		err = -EBUSY;
		if (last)
			psc_log(LOG_ERR, "no floor while BPF program %u (%s) is loaded: it %s; "
				"\"bpftool prog show\" tells whose it is",
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
			psc_log(LOG_ERR, "no floor without the pin of the policy's map %s; if "
				"something is mounted over it, unmount it, else load anew: "
				"ptracescopectl detach, and start the daemon", name);
		return false;
	}
	if (found->users == 1 && found->refs == found->users + uses)
		return true;
	if (last)
		psc_log(LOG_ERR, "no floor while another process or program holds the policy's map "
			"%s: %llu descriptors or pins too many, %lld other references; end it",
			name,
			found->users - 1, (long long)(found->refs - found->users - uses));
	return false;
}

/* What psc_scan_maps found for all maps alike. */
static bool is_quiet(__u32 found, const char *dir, bool last)
{
	if (last && (found & PSC_FOUND_CHANGING))
		psc_log(LOG_ERR, "no floor while a process removes or renames something in %s or "
			"in a directory above it; try again", dir);
	if (last && (found & PSC_FOUND_SWITCHING))
		psc_log(LOG_ERR, "no floor while a process writes kernel.ftrace_enabled; end it, "
			"or try again");
	return !(found & (PSC_FOUND_CHANGING | PSC_FOUND_SWITCHING));
}

/* Does anything refer to the policy's maps besides their pins and our programs? 0 or -EBUSY. */
static int look_at_maps(struct psc_lock *lock, const char *dir,
			const struct findings *findings, bool last)
{
	_cleanup_close_ int fd = bpf_iter_create(lock->look_fds[PSC_LOOK_MAPS]);
	struct psc_found_map found;
	int more, n = 0, err = 0;
	__u32 all = 0;

	if (fd < 0)
		return -errno;
	for (; (more = next_record(fd, &found, sizeof(found))) > 0; n++) {
		if (found.index >= PSC_POLICY_MAPS)
			return -EIO;
		if (found.index == PSC_MAP_STATE)
			lock->references = (__u32)found.refs - findings->passing;
		if (!is_alone(&found, findings->uses[found.index], last))
			err = -EBUSY;
		all |= found.is;
	}
	if (!is_quiet(all, dir, last))
		err = -EBUSY;
	return more < 0 ? more : n != PSC_POLICY_MAPS ? -EIO : err;
}

/* Which links of the set have pins? Return: 0 or a negative errno. */
static int look_at_links(const struct psc_kernel *kernel, const struct psc_lock *lock,
			 struct findings *ret)
{
	_cleanup_close_ int fd = bpf_iter_create(lock->look_fds[PSC_LOOK_LINKS]);
	struct psc_found_link found;
	int more;

	if (fd < 0)
		return -errno;
	while ((more = next_record(fd, &found, sizeof(found))) > 0)
		for (int i = 0; i < PSC_PINS; i++)
			if (psc_pins[i].kind == PSC_PIN_LINK && kernel->fds[i] >= 0 &&
			    psc_object_id(&psc_pins[i], kernel->fds[i]) == found.id)
				ret->pinned[i] = true;
	return more;
}

/*
 * Are the programs on the root cgroup there, and held by nothing else but their pins, which
 * we have open? Who has a descriptor, also of the same open file that we had, can detach them.
 */
static int look_at_root(const struct psc_lock *lock, bool last)
{
	_cleanup_close_ int fd = -1;
	struct psc_found_root found;
	int more, n = 0;

	if (!lock->has_sysctl)
		return 0;
	fd = bpf_iter_create(lock->look_fds[PSC_LOOK_ROOT]);
	if (fd < 0)
		return -errno;
	while ((more = next_record(fd, &found, sizeof(found))) > 0)
		if (is_anchored(lock, found.id) && found.refs == PSC_HANDLE_REFERENCES)
			n++;
	if (more < 0 || n == 1 + lock->anchor.n_attached)
		return more;
	if (last)
		psc_log(LOG_ERR, "no floor while another process holds a program that was attached "
			"to the root cgroup, or has detached it; end it");
	return -EBUSY;
}

/*
 * By no path that begins in /proc, where something may be mounted over our descriptors.
 * Return: a descriptor or -errno
 */
static int open_pin_at(int dir_fd, const char *name)
{
	_cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (before < 0 || fchdir(dir_fd) < 0)
		return -errno;
	fd = bpf_obj_get(name);
	if (fd < 0)
		fd = -errno;
	return fchdir(before) < 0 && chdir("/") < 0 ? -errno : fd;
}

/*
 * The name is the pin of what is in force. A link is found there by the kernel, too, as all
 * hangs on it, and nobody is asked for his mounts then.
 */
static bool is_pin(const struct psc_kernel *kernel, const struct psc_lock *lock,
		   const struct findings *findings, int i)
{
	const struct psc_pin *pin = &psc_pins[i];
	_cleanup_close_ int fd = -1;
	__u32 id;

	if (!psc_plain_is_file(lock->dir_fd, pin->name))
		return false;
	if (pin->of_policy)	/* psc_scan_maps has found it */
		return true;
	if (pin->kind == PSC_PIN_LINK && !findings->pinned[i])
		return false;
	fd = open_pin_at(lock->dir_fd, pin->name);
	id = fd < 0 ? 0 : psc_object_id(pin, fd);
	return id && id == psc_object_id(pin, kernel->fds[i]);
}

/*
 * Is everything still pinned in the directory that is guarded? What keeps it in force would
 * else be our own descriptors. Return: 0 or -EUCLEAN, after a message.
 */
static int look_at_pins(const struct psc_kernel *kernel, const char *dir,
			const struct psc_lock *lock, const struct findings *findings)
{
	int err = 0;

	for (int i = 0; i < PSC_PINS; i++)
		if ((psc_pins[i].of_policy || kernel->fds[i] >= 0) &&
		    !is_pin(kernel, lock, findings, i))
			err = psc_log_err(-EUCLEAN, "no floor without the pin %s/%s of what is in "
					  "force; if something is mounted over it, unmount "
					  "it, else load anew: ptracescopectl detach, and start "
					  "the daemon", dir, psc_pins[i].name);
	return err;
}

/*
 * Once no process is writing kernel.ftrace_enabled, it keeps its value: psc_g_sysctl refuses
 * further writes. A 0 that was written just before would switch the floor off until reboot.
 */
static int look_at_ftrace(const struct psc_lock *lock)
{
	char value = 0;

	if (lock->ftrace_fd < 0)
		return 0;
	if (pread(lock->ftrace_fd, &value, 1, 0) != 1)
		return psc_log_err(-EIO, "no floor, as kernel.ftrace_enabled cannot be read; try: "
				   "sysctl kernel.ftrace_enabled");
	if (value != '0')
		return 0;
	return psc_log_err(-EBUSY, "no floor while kernel.ftrace_enabled is 0, which switches BPF "
			   "programs off: sysctl -w kernel.ftrace_enabled=1");
}

/* One look. Return: 0; -EAGAIN if it is worth another one; or another negative errno. */
static int look(const struct psc_kernel *kernel, const char *dir, struct psc_lock *lock,
		struct findings *ret, int nth)
{
	bool last = nth == LOOKS_MAX, last_for_programs = nth >= LOOKS_FOR_PROGRAMS;
	int err;

	*ret = (struct findings){};
	err = look_at_programs(kernel, lock, ret, last_for_programs);
	if (err)
		return err == -EBUSY && !last_for_programs ? -EAGAIN : err;
	err = look_at_maps(lock, dir, ret, last) ?: look_at_links(kernel, lock, ret) ?:
		look_at_root(lock, last);
	if (!err && ret->held) {
		err = -EBUSY;
		if (last)
			psc_log(LOG_ERR, "no floor while another process holds a program of the "
				"set in force; end it");
	}
	return err == -EBUSY && !last ? -EAGAIN : err;
}

/*
 * Have all BPF programs ended that ran during the look? One that has no name any more may
 * have found a map in another that it is no longer in, and write it when it goes on. So those
 * that looked are unloaded; the kernel lets them go when all others of their kinds have ended
 * that were running. After that nothing changes any more, so it is compared then what the
 * guards protect. Return: 0 or a negative errno, after a message.
 */
static int settle(struct psc_kernel *kernel, struct psc_lock *lock)
{
	static const struct timespec pause = { .tv_nsec = LOOK_AGAIN_NS };
	struct psc_request req;
	int err = -EAGAIN;

	for (int i = 0; i < PSC_LOOKS; i++) {
		psc_closep(&lock->look_fds[i]);
		lock->look_fds[i] = -1;
	}
	for (int i = 0; err == -EAGAIN && i < SETTLES_MAX; i++) {
		if (i)
			nanosleep(&pause, NULL);
		req = (struct psc_request){
			.abi = PSC_ABI, .op = PSC_OP_GUARD, .value = 2, .dir_fd = lock->dir_fd,
			.armed = lock->armed, .anchor = lock->references,
		};
		err = psc_kernel_compare(kernel, &req);
	}
	if (!err && memcmp(req.hooks, lock->hooks, sizeof(req.hooks)) != 0)
		err = -ECANCELED;
	if (err == -EAGAIN)
		return psc_log_err(-EBUSY, "no floor, as a BPF program that ran before the check "
				   "has not ended, or another process holds one of those that "
				   "checked; try again");
	return err ? psc_log_err(err, "no floor, as another process disarmed the guards or armed "
				   "them anew: %s; try again",
				 strerror(-err)) : 0;
}

int psc_look_around(struct psc_kernel *kernel, const char *dir, struct psc_lock *lock)
{
	static const struct timespec pause = { .tv_nsec = LOOK_AGAIN_NS };
	struct findings findings = {};
	int err = -EAGAIN;

	for (int i = 1; err == -EAGAIN; i++) {
		if (i > 1)
			nanosleep(&pause, NULL);
		err = look(kernel, dir, lock, &findings, i);
	}
	if (!err)
		err = look_at_ftrace(lock);
	if (!err)
		err = look_at_pins(kernel, dir, lock, &findings);
	return err ? err : settle(kernel, lock);
}

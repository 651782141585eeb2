/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replaces the file in which --persist keeps settings, in one step. */
#include "persist.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "call.h"
#include "config.h"
#include "log.h"
#include "ptracescope_policy.h"
#include "util.h"

#define NEW_NAME "." PSC_DROPIN_NAME ".new"	/* the daemon does not read hidden files */
#define FILE_MAX (1024 * 1024)			/* as the daemon */

/* Somebody else may wait for the daemon while he holds the lock. */
#define LOCK_TRIES 2000
#define LOCK_WAIT_NS (20 * 1000 * 1000)

const char *psc_persist_root = "";

static const char unchanged[] = "nothing changed";
static const char changed[] = "the policy in force has changed, but not what the next boot sets; "
			      "repeat the command when that is mended";

static enum psc_cli_exit cannot_write(int err, const char *state)
{
	const char *remedy = "";
	enum psc_cli_exit code = PSC_EXIT_FAILED;

	switch (err) {
	case -EACCES:
	case -EPERM:
		code = PSC_EXIT_REFUSED;
		remedy = geteuid() ? "; --persist requires root (try sudo)" :
				     "; see: lsattr -d " PSC_DROPIN_DIR;
		break;
	case -EROFS:
		remedy = "; without --persist, a setting lasts until reboot";
		break;
	case -ENOSPC:
	case -EDQUOT:
		remedy = "; free some space";
		break;
	case -ENOTDIR:
		remedy = "; make a directory of " PSC_DROPIN_DIR;
		break;
	}
	return psc_fail(code, "%s cannot be written: %s; %s%s", PSC_DROPIN_PATH, strerror(-err),
			state, remedy);
}

static int sync_parent(const char *path)
{
	_cleanup_free_ char *parent = psc_text("%s/..", path);
	_cleanup_close_ int fd = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The directory, made where it is missing. Return: a descriptor, or a negative errno. */
static int open_dir(void)
{
	_cleanup_free_ char *path = psc_text("%s%s", psc_persist_root, PSC_DROPIN_DIR);
	char *slash;
	int fd, err = 0;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	slash = strrchr(path, '/');
	*slash = '\0';
	if (mkdir(path, 0755) == 0)
		err = sync_parent(path);
	else if (errno != EEXIST)
		err = -errno;
	*slash = '/';
	if (!err && mkdir(path, 0755) == 0)
		err = sync_parent(path);
	else if (!err && errno != EEXIST)
		err = -errno;
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Is what is open still what has the name? Return: 1, 0, or a negative errno. */
static int is_named(int dir_fd, int fd)
{
	struct stat named, opened;

	if (fstat(fd, &opened) < 0)
		return -errno;
	if (fstatat(dir_fd, NEW_NAME, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

/*
 * Open and lock the file that is to be renamed. Only root can open it while it has this name, so
 * nobody else can hold the lock.
 */
static int open_new(int dir_fd)
{
	for (unsigned int i = 0; i < LOCK_TRIES; i++) {
		_cleanup_close_ int fd = openat(dir_fd, NEW_NAME, O_RDWR | O_CREAT | O_CLOEXEC |
						O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
		int named;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			named = is_named(dir_fd, fd);
			if (named < 0)
				return named;
			if (named)
				return TAKE_FD(fd);
		} else if (errno != EWOULDBLOCK) {
			return -errno;
		}
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_WAIT_NS }, NULL);
	}
	return -EWOULDBLOCK;
}

/* The file as it is. *ret is NULL where there is none. */
static enum psc_cli_exit read_old(const struct psc_persist *persist, char **ret)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int err;

	*ret = NULL;
	if (fstatat(persist->dir_fd, PSC_DROPIN_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? PSC_EXIT_DONE : cannot_write(-errno, unchanged);
	if (!S_ISREG(st.st_mode))
		return psc_fail(PSC_EXIT_FAILED, "%s is %s, and is not replaced; %s; remove it, or "
				"do without --persist", PSC_DROPIN_PATH, S_ISLNK(st.st_mode) ?
				"a symbolic link" : "no regular file", unchanged);
	fd = openat(persist->dir_fd, PSC_DROPIN_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK | O_NOCTTY);
	err = fd < 0 ? -errno : psc_read_fd(fd, FILE_MAX, ret, NULL);
	if (err == -EBADMSG)
		return psc_fail(PSC_EXIT_FAILED, "%s has a NUL byte in it, so it is damaged; %s; "
				"remove it", PSC_DROPIN_PATH, unchanged);
	if (err)
		return psc_fail(err == -EACCES ? PSC_EXIT_REFUSED : PSC_EXIT_FAILED, "%s cannot be "
				"read: %s; %s", PSC_DROPIN_PATH, strerror(-err), unchanged);
	return PSC_EXIT_DONE;
}

/* All errors of the configuration; the first one is in the message that ends the command. */
static enum psc_cli_exit refuse_config(char *errors)
{
	const char *first = strsep(&errors, "\n"), *line;
	bool more = errors;

	while (errors && (line = strsep(&errors, "\n")))
		psc_log(LOG_ERR, "configuration: %s", line);
	return psc_fail(PSC_EXIT_FAILED, "%s is not written, because the daemon would refuse the "
			"configuration with it: %s; %s; correct %s", PSC_DROPIN_PATH, first,
			unchanged, more ? "this and the lines above" : "that line");
}

/* The setting of the whole system that sets a mode, or its floor; NULL when none does. */
static const struct psc_setting *setting_of(const struct psc_setting settings[PSC_NAMES], bool floor,
					    unsigned int mode)
{
	const struct psc_setting *found = NULL;

	for (size_t i = 0; i < PSC_NAMES; i++)
		if (settings[i].present && psc_names[i].floor == floor &&
		    (psc_names[i].modes & PSC_MODE_BIT(mode)))
			found = &settings[i];
	return found;
}

/* Does a file that is read later set something else? */
static enum psc_cli_exit check_last(const struct psc_config *config,
				    const struct psc_dropin_change *change)
{
	const struct psc_name *name = change->name;

	for (unsigned int mode = 0; !change->pattern && !change->remove && mode < PSC_MODE_SLOTS;
	     mode++) {
		const struct psc_setting *setting = setting_of(config->settings, name->floor, mode);

		if (!(name->modes & PSC_MODE_BIT(mode)) || !setting ||
		    setting->value == change->value)
			continue;
		return psc_fail(PSC_EXIT_FAILED, "%s sets %s to %u, and is read after %s; %s; "
				"change that line", setting->source,
				psc_name_of_mode((enum psc_mode)mode)->name, setting->value,
				PSC_DROPIN_PATH, unchanged);
	}
	return PSC_EXIT_DONE;
}

static enum psc_cli_exit check(struct psc_persist *persist,
			       const struct psc_dropin_change *changes, size_t n)
{
	const struct psc_config_draft draft = { PSC_DROPIN_PATH, persist->text };
	enum psc_cli_exit code = PSC_EXIT_DONE;
	_cleanup_free_ char *errors = NULL;
	struct psc_config config;
	int err = psc_config_try_draft(psc_persist_root, &draft, &config, &persist->next, &errors);

	if (err && !errors)
		code = psc_fail(PSC_EXIT_FAILED, "the configuration: %s; %s", strerror(-err),
				unchanged);
	else if (err)
		code = refuse_config(errors);
	for (size_t i = 0; i < n && code == PSC_EXIT_DONE; i++)
		code = check_last(&config, &changes[i]);
	psc_config_free(&config);
	return code;
}

static int write_all(int fd, const char *text)
{
	for (size_t len = strlen(text); len;) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int write_new(const struct psc_persist *persist)
{
	int err;

	if (ftruncate(persist->fd, 0) < 0)
		return -errno;
	err = write_all(persist->fd, persist->text ? persist->text : "");
	if (!err && (fchmod(persist->fd, 0644) < 0 || fsync(persist->fd) < 0))
		err = -errno;
	return err;
}

/* Edit @old; the text then belongs to @persist. */
static int edit(struct psc_persist *persist, const char *old,
		const struct psc_dropin_change *changes, size_t n)
{
	const char *text = old;

	for (size_t i = 0; i < n; i++) {
		char *next;
		int err = psc_dropin_change(text, &changes[i], &next);

		if (err)
			return err;
		free(persist->text);
		text = persist->text = next;
	}
	persist->had = old != NULL;
	persist->changed = old && text ? !streq(old, text) : old != text;
	return 0;
}

enum psc_cli_exit psc_persist_prepare(struct psc_persist *persist,
				      const struct psc_dropin_change *changes, size_t n)
{
	_cleanup_free_ char *old = NULL;
	enum psc_cli_exit code;
	int err;

	persist->dir_fd = open_dir();
	if (persist->dir_fd < 0)
		return cannot_write(persist->dir_fd, unchanged);
	persist->fd = open_new(persist->dir_fd);
	if (persist->fd == -EWOULDBLOCK)
		return psc_fail(PSC_EXIT_FAILED, "%s: another ptracescopectl has been writing it for "
				"40 seconds; %s; repeat the command", PSC_DROPIN_PATH, unchanged);
	if (persist->fd < 0)
		return cannot_write(persist->fd, unchanged);
	code = read_old(persist, &old);
	if (code != PSC_EXIT_DONE)
		return code;
	err = edit(persist, old, changes, n);
	if (err)
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(-err));
	code = check(persist, changes, n);
	if (code != PSC_EXIT_DONE)
		return code;
	err = persist->changed ? write_new(persist) : 0;
	return err ? cannot_write(err, unchanged) : PSC_EXIT_DONE;
}

enum psc_cli_exit psc_persist_commit(struct psc_persist *persist)
{
	int err = 0;

	if (!persist->changed)
		return PSC_EXIT_DONE;
	if (persist->text)
		err = renameat(persist->dir_fd, NEW_NAME, persist->dir_fd, PSC_DROPIN_NAME);
	else if (persist->had)
		err = unlinkat(persist->dir_fd, PSC_DROPIN_NAME, 0);
	if (err)
		return cannot_write(-errno, changed);
	persist->unlinked = persist->text != NULL;
	return fsync(persist->dir_fd) < 0 ? cannot_write(-errno, changed) : PSC_EXIT_DONE;
}

void psc_persist_end(struct psc_persist *persist)
{
	if (persist->fd >= 0 && !persist->unlinked)
		unlinkat(persist->dir_fd, NEW_NAME, 0);
	psc_closep(&persist->fd);
	psc_closep(&persist->dir_fd);
	free(persist->text);
	*persist = PSC_PERSIST_NONE;
}

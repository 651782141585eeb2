/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds a cgroup by what users call it, and tells its path and its id. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cgdir.h"
#include "kernel.h"
#include "threads.h"
#include "util.h"
#include "walk.h"

/* PROC_CGROUP_INIT_INO of the kernel's include/linux/proc_ns.h. */
#define INITIAL_CGROUP_NAMESPACE 0xEFFFFFFBU
#define PROC_CGROUP_MAX (64 * 1024)

#define OPEN_TO_SEARCH (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

void psc_cgroups_open(struct psc_cgroups *ret)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		_cleanup_close_ int fd = open(mounts[i], OPEN_TO_SEARCH);
		struct statfs fs;

		if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
			*ret = (struct psc_cgroups){ TAKE_FD(fd), mounts[i] };
			return;
		}
	}
	*ret = (struct psc_cgroups){ -1, mounts[0] };
}

void psc_cgroups_close(struct psc_cgroups *cgroups)
{
	psc_closep(&cgroups->root_fd);
	cgroups->root_fd = -1;
}

void psc_cgroup_free(struct psc_cgroup *cgroup)
{
	psc_closep(&cgroup->fd);
	free(cgroup->path);
	*cgroup = (struct psc_cgroup){ .fd = -1 };
}

/* The kinds of units that systemd gives cgroups. */
bool psc_cgroup_is_unit(const char *name)
{
	static const char *const suffixes[] = {
		".service", ".scope", ".slice", ".socket", ".mount", ".swap",
	};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (psc_name_ends_in(name, strlen(name), suffixes[i]))
			return true;
	return false;
}

/* An absolute path that is not below the mount: what is it? */
static int judge_outside(const char *name)
{
	struct statfs fs;

	return statfs(name, &fs) == 0 && fs.f_type == CGROUP_SUPER_MAGIC ? PSC_CGROUP_V1 :
									   PSC_CGROUP_OUTSIDE;
}

static int open_trouble(int err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return PSC_CGROUP_ABSENT;
	case -ENODEV:
		return PSC_CGROUP_REMOVED;
	default:
		return err;
	}
}

/* Where directories are read: is this one of the hierarchy, and no other mounted on it? */
static int judge_directory(const struct psc_cgroups *cgroups, int fd)
{
	struct stat root, st;
	struct statfs fs;

	if (fstat(cgroups->root_fd, &root) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev == root.st_dev)
		return 0;
	return fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP_SUPER_MAGIC ? PSC_CGROUP_V1 :
									 PSC_CGROUP_ABSENT;
}

/*
 * One component after another, neither up nor through links or mounts. openat2(2)
 * could do so at once, but systemd's RestrictSUIDSGID= refuses that to services.
 */
static int go(const struct psc_cgroups *cgroups, const char *path, struct psc_cgdir *ret)
{
	_cleanup_free_ char *copy = strdup(path);
	struct psc_cgdir at = psc_cgdir_root(cgroups);
	bool moved = false;
	char *save;

	if (!copy)
		return -ENOMEM;
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		struct psc_cgdir next;
		int err = streq(part, ".") || streq(part, "..") ? -ENOENT :
			psc_cgdir_enter(cgroups, &at, part, &next);

		if (moved)
			psc_cgdir_leave(&at);
		if (err)
			return open_trouble(err);
		at = next;
		moved = true;
	}
	*ret = at;
	return moved ? 0 : PSC_CGROUP_ROOT;
}

struct psc_search {
	const struct psc_cgroups *cgroups;
	char *path;		/* of what was found; NULL: not yet */
	char *unit;		/* what is looked for in all slices, or NULL */
	bool begun, escaped;
	struct psc_walk walk;
};

/* What a user's name stands for: a path, whether it is there or not, or a unit. */
static int read_name(const struct psc_cgroups *cgroups, const char *name, struct psc_search *search)
{
	static const char any_mount[] = "/sys/fs/cgroup";
	const char *below = psc_path_is_below(name, cgroups->mount) ?
			    name + strlen(cgroups->mount) : name;
	_cleanup_free_ char *path = strdup(below);

	if (!path)
		return -ENOMEM;
	if (!*name || !psc_path_canonical(path))
		return PSC_CGROUP_NAME;
	if (below == name && psc_path_is_below(name, any_mount))
		return judge_outside(name);
	if (!*path || streq(path, "-.slice"))
		return PSC_CGROUP_ROOT;
	if (!strchr(below, '/') && psc_cgroup_is_unit(path))
		search->unit = TAKE_PTR(path);
	else
		search->path = TAKE_PTR(path);
	return 0;
}

int psc_search_begin(const struct psc_cgroups *cgroups, const char *name, struct psc_search **ret)
{
	struct psc_search *search = calloc(1, sizeof(*search));
	int err;

	if (!search)
		return -ENOMEM;
	search->cgroups = cgroups;
	psc_walk_begin(&search->walk, cgroups, true);
	err = cgroups->root_fd < 0 ? PSC_CGROUP_UNMOUNTED : read_name(cgroups, name, search);
	if (err)
		psc_search_free(search);
	else
		*ret = search;
	return err;
}

void psc_search_free(struct psc_search *search)
{
	if (!search)
		return;
	psc_walk_end(&search->walk);
	free(search->path);
	free(search->unit);
	free(search);
}

/* Is the unit in this slice? */
static int look_in(struct psc_search *search, const struct psc_cgdir *slice, const char *path)
{
	_cleanup_cgdir_ struct psc_cgdir unit;
	int err = psc_cgdir_enter(search->cgroups, slice, search->unit, &unit);

	if (err)
		return psc_cgdir_is_passable(err) ? 0 : err;
	return search->path ? PSC_CGROUP_AMBIGUOUS :
			      psc_path_join(path, search->unit, &search->path);
}

/* systemd puts an underscore in front of names that could be those of files of the kernel's. */
static int escape_unit(struct psc_search *search)
{
	char *escaped;

	if (asprintf(&escaped, "_%s", search->unit) < 0)
		return -ENOMEM;
	free(search->unit);
	search->unit = escaped;
	search->escaped = true;
	search->begun = false;
	psc_walk_end(&search->walk);
	psc_walk_begin(&search->walk, search->cgroups, true);
	return 0;
}

/* The root, and one slice after the other. Return: 0 when @search->path is known. */
static int search_unit(struct psc_search *search)
{
	const struct psc_cgdir root = psc_cgdir_root(search->cgroups);
	struct psc_cgroup slice;
	int err = search->begun ? 0 : look_in(search, &root, "");

	search->begun = true;
	while (!err && (err = psc_walk_next(&search->walk, &slice)) > 0)
		err = look_in(search, &(struct psc_cgdir){ slice.fd, slice.id }, slice.path);
	if (err || search->path)
		return err;
	if (search->escaped)
		return PSC_CGROUP_ABSENT;
	return escape_unit(search) ?: search_unit(search);
}

int psc_search_step(struct psc_search *search, struct psc_cgroup *ret)
{
	_cleanup_cgdir_ struct psc_cgdir place = { .fd = -1 };
	int err = search->unit ? search_unit(search) : 0;

	if (!err)
		err = go(search->cgroups, search->path, &place);
	if (!err && !search->cgroups->kernel)
		err = judge_directory(search->cgroups, place.fd);
	if (!err)
		*ret = (struct psc_cgroup){
			.fd = TAKE_FD(place.fd), .id = place.id, .path = TAKE_PTR(search->path),
		};
	return err;
}

int psc_cgroup_find(const struct psc_cgroups *cgroups, const char *name, struct psc_cgroup *ret)
{
	struct psc_search *search = NULL;
	int err = psc_search_begin(cgroups, name, &search);

	if (err)
		return err;
	do
		err = psc_search_step(search, ret);
	while (err == -EINPROGRESS);
	psc_search_free(search);
	return err;
}

int psc_cgroup_above(const struct psc_cgroups *cgroups, const char *path, __u64 id, char **ret)
{
	struct psc_cgdir at = psc_cgdir_root(cgroups);
	_cleanup_free_ char *copy = strdup(path);
	char *end = copy;
	bool found = false;

	if (!copy)
		return -ENOMEM;
	/* From the root downwards, so that every level is looked up once. */
	while (!found && *end) {
		char *part = end + (*end == '/');
		struct psc_cgdir next;
		char rest;
		int err;

		end = part + strcspn(part, "/");
		rest = *end;
		*end = '\0';
		err = psc_cgdir_enter(cgroups, &at, part, &next);
		*end = rest;
		if (at.fd != cgroups->root_fd)
			psc_cgdir_leave(&at);
		at = next;
		if (err)
			break;
		found = at.id == id;
	}
	if (at.fd != cgroups->root_fd)
		psc_cgdir_leave(&at);
	if (!found)
		return -ENOENT;
	*end = '\0';
	*ret = TAKE_PTR(copy);
	return 0;
}

int psc_cgroup_path(const struct psc_cgroups *cgroups, __u64 id, char **ret)
{
	_cleanup_free_ char *path = NULL;

	if (!cgroups->kernel || !id)
		return -ENOENT;
	for (unsigned int level = 0; level < PSC_CGROUP_LEVELS; level++) {
		struct psc_find_request req = {
			.abi = PSC_ABI, .op = PSC_FIND_NAME, .parent = id,
		};
		struct psc_found found;
		char *name = found.cgroups[0].name;
		int err = psc_kernel_find(cgroups->kernel, &req, &found);
		char *longer;

		if (err == -PSC_E_NOENT && path) {	/* the root */
			*ret = TAKE_PTR(path);
			return 0;
		}
		if (err)
			return err == -PSC_E_NODEV ? -ENOENT : err;
		name[PSC_NAME_BYTES - 1] = '\0';
		if (asprintf(&longer, "%s%s%s", name, path ? "/" : "", path ? path : "") < 0)
			return -ENOMEM;
		free(path);
		path = longer;
		id = req.id;
	}
	return -ENOENT;
}

bool psc_cgroup_is_others(const struct psc_cgroups *cgroups, __u64 id)
{
	struct psc_find_request req = { .abi = PSC_ABI, .op = PSC_FIND_NAME, .parent = id };

	int err = cgroups->kernel ? psc_kernel_find(cgroups->kernel, &req, NULL) : -EOPNOTSUPP;

	return err == -PSC_E_NODEV || (!err && req.left);
}

int psc_cgroup_process(const struct psc_cgroups *cgroups, const struct psc_cgroup *cgroup,
		       unsigned int pid, struct psc_find_request *ret)
{
	*ret = (struct psc_find_request){
		.abi = PSC_ABI, .op = PSC_FIND_PROCESS, .parent = cgroup->id, .pid = (__s32)pid,
	};
	return cgroups->kernel ? psc_kernel_find(cgroups->kernel, ret, NULL) : -EOPNOTSUPP;
}

int psc_cgroup_walk(const struct psc_cgroups *cgroups, psc_cgroup_fn fn, void *data)
{
	struct psc_cgroup cgroup;
	struct psc_walk walk;
	int err;

	psc_walk_begin(&walk, cgroups, false);
	while ((err = psc_walk_next(&walk, &cgroup))) {
		if (err > 0)
			err = fn(data, &cgroup);
		if (err == PSC_CGROUP_SKIP)
			psc_walk_skip(&walk);
		else if (err && err != -EINPROGRESS)
			break;
	}
	psc_walk_end(&walk);
	return err;
}

static int read_of_pid(const char *dir, char **ret)
{
	_cleanup_close_ int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	_cleanup_free_ char *name = NULL;
	int err;

	if (dir_fd < 0)
		return -errno;
	err = psc_threads_file(dir_fd, "cgroup", &name);
	if (err)
		return err;
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : psc_read_fd(fd, PROC_CGROUP_MAX, ret, NULL);
}

int psc_cgroup_of_pid(const char *proc, unsigned int pid, char **ret)
{
	_cleanup_free_ char *path = NULL, *text = NULL, *namespace = NULL;
	const char *line;
	struct stat st;
	int err;

	if (asprintf(&namespace, "%s/self/ns/cgroup", proc) < 0) {
		namespace = NULL;
		return -ENOMEM;
	}
	if (stat(namespace, &st) == 0 && st.st_ino != INITIAL_CGROUP_NAMESPACE)
		return -EXDEV;
	if (asprintf(&path, "%s/%u", proc, pid) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	err = read_of_pid(path, &text);
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	/* "HIERARCHY:CONTROLLERS:PATH", that of cgroup2 being "0::"; no name has a line feed. */
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (!line)
		return -ENODEV;
	line = strchr(line, '/');
	*ret = strndup(line, strcspn(line, "\n"));
	return *ret ? 0 : -ENOMEM;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "threads.h"
#include "util.h"

/* PROC_CGROUP_INIT_INO of the kernel's include/linux/proc_ns.h. */
#define INITIAL_CGROUP_NAMESPACE 0xEFFFFFFBU
#define PROC_CGROUP_MAX (64 * 1024)

#define OPEN_TO_SEARCH (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

static const struct {
	const char *word, *text;
} troubles[PSC_CGROUP_TROUBLES] = {
	[PSC_CGROUP_FINE] = { "fine", "nothing is wrong with it" },
	[PSC_CGROUP_UNMOUNTED] = { "no-cgroup2", "no cgroup2 hierarchy is mounted on "
				   "/sys/fs/cgroup or /sys/fs/cgroup/unified" },
	[PSC_CGROUP_NAME] = { "name", "that is no name of a cgroup; use a path below "
			      "/sys/fs/cgroup without '.' and '..', or the name of a unit" },
	[PSC_CGROUP_ABSENT] = { "absent", "there is no such cgroup" },
	[PSC_CGROUP_AMBIGUOUS] = { "ambiguous", "several slices have a cgroup of that name; use "
				   "its path" },
	[PSC_CGROUP_ROOT] = { "root", "the root cgroup has no scope of its own; the global one "
			      "is what 'ptracescopectl set' sets" },
	[PSC_CGROUP_V1] = { "v1", "that is a cgroup of a v1 hierarchy; only those of cgroup2 can "
			    "have a scope" },
	[PSC_CGROUP_OUTSIDE] = { "outside", "that path is not below the mount point of cgroup2" },
	[PSC_CGROUP_THREADED] = { "threaded", "a threaded cgroup has no scope of its own; that of "
				  "its domain, further up, decides" },
	[PSC_CGROUP_DEEP] = { "deep", "it is too many levels below the root cgroup" },
	[PSC_CGROUP_REMOVED] = { "removed", "it is being removed" },
};

const char *psc_cgroup_trouble_word(enum psc_cgroup_trouble trouble)
{
	return troubles[trouble].word;
}

const char *psc_cgroup_trouble_text(enum psc_cgroup_trouble trouble)
{
	return troubles[trouble].text;
}

enum psc_cgroup_trouble psc_cgroup_trouble_of(int err)
{
	switch (err) {
	case -PSC_E_BADF:
		return PSC_CGROUP_OUTSIDE;
	case -PSC_E_NODEV:
		return PSC_CGROUP_REMOVED;
	case -PSC_E_NAMETOOLONG:
		return PSC_CGROUP_DEEP;
	case -PSC_E_OPNOTSUPP:
		return PSC_CGROUP_THREADED;
	default:
		return PSC_CGROUP_FINE;
	}
}

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

/* Without "." and "..", and no more slashes than needed: in place. */
static bool make_canonical(char *path)
{
	char *out = path, *save;

	for (char *part = strtok_r(path, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		size_t len = strlen(part);

		if (streq(part, ".") || streq(part, ".."))
			return false;
		if (out != path)
			*out++ = '/';
		memmove(out, part, len);
		out += len;
	}
	*out = '\0';
	return true;
}

static bool ends_in(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(name + len - n, suffix, n) == 0;
}

/* The kinds of units that systemd gives cgroups. */
static bool is_unit(const char *name)
{
	static const char *const suffixes[] = {
		".service", ".scope", ".slice", ".socket", ".mount", ".swap",
	};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
		if (ends_in(name, strlen(name), suffixes[i]))
			return true;
	return false;
}

static int join(const char *path, const char *name, char **ret)
{
	return asprintf(ret, "%s%s%s", path, *path ? "/" : "", name) < 0 ? -ENOMEM : 0;
}

static int is_directory(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
}

static int is_slice(const struct dirent *entry)
{
	return is_directory(entry) && ends_in(entry->d_name, strlen(entry->d_name), ".slice");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* That of a walk or a search being gone, or closed to us, is nothing to stop for. */
static bool is_passable(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENOTDIR || err == -EACCES;
}

/* The unit @name in the slice @fd, which is at @path, and in the slices below. */
static int find_unit(int fd, const char *path, const char *name, unsigned int level, char **found)
{
	_cleanup_free_ struct dirent **slices = NULL;
	struct stat st;
	int n, err = 0;

	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode)) {
		if (*found)
			return PSC_CGROUP_AMBIGUOUS;
		err = join(path, name, found);
	}
	n = err || level >= PSC_CGROUP_LEVELS ? 0 : scandirat(fd, ".", &slices, is_slice, by_name);
	if (n < 0)
		return is_passable(-errno) ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		_cleanup_free_ struct dirent *slice = slices[i];
		_cleanup_free_ char *below = NULL;
		_cleanup_close_ int slice_fd = -1;

		if (err)
			continue;
		slice_fd = openat(fd, slice->d_name, OPEN_TO_SEARCH | O_NOFOLLOW);
		if (slice_fd < 0) {
			err = is_passable(-errno) ? 0 : -errno;
			continue;
		}
		err = join(path, slice->d_name, &below);
		if (!err)
			err = find_unit(slice_fd, below, name, level + 1, found);
	}
	return err;
}

/* An absolute path that is not below the mount: what is it? */
static int judge_outside(const char *name)
{
	struct statfs fs;

	return statfs(name, &fs) == 0 && fs.f_type == CGROUP_SUPER_MAGIC ? PSC_CGROUP_V1 :
									   PSC_CGROUP_OUTSIDE;
}

/* Is it "@mount" or "@mount/..."? */
static bool is_below(const char *name, const char *mount)
{
	size_t len = strlen(mount);

	return strncmp(name, mount, len) == 0 && (!name[len] || name[len] == '/');
}

/*
 * As find_unit(), anywhere. systemd puts an underscore in front of names of units
 * that could be those of files of the kernel's, as in "_memory.service".
 */
static int find_any_unit(int root_fd, const char *name, char **ret)
{
	_cleanup_free_ char *escaped = NULL, *found = NULL;
	int err = find_unit(root_fd, "", name, 0, &found);

	if (!err && !found) {
		if (asprintf(&escaped, "_%s", name) < 0) {
			escaped = NULL;
			return -ENOMEM;
		}
		err = find_unit(root_fd, "", escaped, 0, &found);
	}
	if (err)
		return err;
	*ret = TAKE_PTR(found);
	return *ret ? 0 : PSC_CGROUP_ABSENT;
}

/* The path that a user's name stands for; whether it is there is not always known then. */
static int find_path(const struct psc_cgroups *cgroups, const char *name, char **ret)
{
	static const char any_mount[] = "/sys/fs/cgroup";
	const char *below = is_below(name, cgroups->mount) ? name + strlen(cgroups->mount) : name;
	_cleanup_free_ char *path = strdup(below);

	if (!path)
		return -ENOMEM;
	if (!*name || !make_canonical(path))
		return PSC_CGROUP_NAME;
	if (below == name && is_below(name, any_mount))
		return judge_outside(name);
	if (!*path || streq(path, "-.slice"))
		return PSC_CGROUP_ROOT;
	if (!strchr(below, '/') && is_unit(path))
		return find_any_unit(cgroups->root_fd, path, ret);
	*ret = TAKE_PTR(path);
	return 0;
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

/*
 * One component after another, neither up nor through links or mounts. openat2(2)
 * could do so at once, but systemd's RestrictSUIDSGID= refuses that to services.
 */
int psc_cgroup_open(const struct psc_cgroups *cgroups, const char *path, int *ret_fd)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *copy = strdup(path);
	char *save;
	struct stat root, st;
	struct statfs fs;

	if (!copy)
		return -ENOMEM;
	if (cgroups->root_fd < 0)
		return PSC_CGROUP_UNMOUNTED;
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		int next;

		if (streq(part, ".") || streq(part, ".."))
			return PSC_CGROUP_ABSENT;
		next = openat(fd < 0 ? cgroups->root_fd : fd, part,
			      O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return open_trouble(-errno);
		psc_closep(&fd);
		fd = next;
	}
	if (fd < 0)
		return PSC_CGROUP_ROOT;
	if (fstat(cgroups->root_fd, &root) < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != root.st_dev)
		return fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP_SUPER_MAGIC ?
			PSC_CGROUP_V1 : PSC_CGROUP_ABSENT;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int psc_cgroup_find(const struct psc_cgroups *cgroups, const char *name, struct psc_cgroup *ret)
{
	_cleanup_free_ char *path = NULL;
	int err, fd;

	if (cgroups->root_fd < 0)
		return PSC_CGROUP_UNMOUNTED;
	err = find_path(cgroups, name, &path);
	if (!err)
		err = psc_cgroup_open(cgroups, path, &fd);
	if (!err)
		*ret = (struct psc_cgroup){ .fd = fd, .path = TAKE_PTR(path) };
	return err;
}

int psc_cgroup_id(int fd, __u64 *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

int psc_cgroup_above(const struct psc_cgroups *cgroups, const char *path, __u64 id, char **ret)
{
	_cleanup_free_ char *above = strdup(path);

	if (!above)
		return -ENOMEM;
	while (*above) {
		char *slash = strrchr(above, '/');
		struct stat st;

		if (fstatat(cgroups->root_fd, above, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_ino == id) {
			*ret = TAKE_PTR(above);
			return 0;
		}
		*(slash ? slash : above) = '\0';
	}
	return -ENOENT;
}

struct walk {
	psc_cgroup_fn fn;
	void *data;
};

static int walk_children(const struct walk *walk, int fd, const char *path, const char *after,
			 unsigned int level);

/* @after: where to go on inside this one, which then has been visited; "": at its beginning */
static int walk_one(const struct walk *walk, int parent, const char *path, const char *name,
		    const char *after, unsigned int level)
{
	_cleanup_close_ int fd = openat(parent, name, OPEN_TO_SEARCH | O_NOFOLLOW);
	_cleanup_free_ char *below = NULL;
	int err;

	if (fd < 0)
		return is_passable(-errno) ? 0 : -errno;
	err = join(path, name, &below);
	if (!err && !after)
		err = walk->fn(walk->data, fd, below);
	if (err == PSC_CGROUP_SKIP)
		return 0;
	if (!err)
		err = walk_children(walk, fd, below, after && *after ? after : NULL, level + 1);
	return err;
}

static int walk_children(const struct walk *walk, int fd, const char *path, const char *after,
			 unsigned int level)
{
	_cleanup_free_ struct dirent **entries = NULL;
	size_t len = after ? strcspn(after, "/") : 0;
	int n = 0, err = 0;

	if (level + 1 < PSC_CGROUP_LEVELS)
		n = scandirat(fd, ".", &entries, is_directory, by_name);
	if (n < 0)
		return is_passable(-errno) ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		_cleanup_free_ struct dirent *entry = entries[i];
		int order = 1;

		if (err)
			continue;
		if (after) {
			order = strncmp(entry->d_name, after, len);
			if (!order && entry->d_name[len])
				order = 1;
		}
		if (order < 0)
			continue;
		err = walk_one(walk, fd, path, entry->d_name,
			       order ? NULL : after + len + (after[len] == '/'), level);
	}
	return err;
}

int psc_cgroup_walk(const struct psc_cgroups *cgroups, const char *after, psc_cgroup_fn fn,
		    void *data)
{
	const struct walk walk = { fn, data };

	return cgroups->root_fd < 0 ? 0 :
		walk_children(&walk, cgroups->root_fd, "", after && *after ? after : NULL, 0);
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

/* Take the mount point off a path that was absolute, as for ptracescopectl. */
static void leave_mount(char *path)
{
	struct psc_cgroups cgroups;
	const char *mount;
	size_t len;

	psc_cgroups_open(&cgroups);
	mount = cgroups.mount + 1;
	len = strlen(mount);
	if (strncmp(path, mount, len) == 0 && (path[len] == '/' || !path[len]))
		memmove(path, path + len + (path[len] == '/'), strlen(path + len) + (path[len] != '/'));
	psc_cgroups_close(&cgroups);
}

char *psc_cgroup_pattern(char *text)
{
	bool is_path = strchr(text, '/'), absolute = *text == '/';

	if (!make_canonical(text))
		return NULL;
	if (absolute)
		leave_mount(text);
	if (!*text || streq(text, "-.slice"))
		return NULL;
	/* Canonical, it is shorter by what stood in front. */
	if (is_path && strchr(text, '/') == NULL) {
		memmove(text + 1, text, strlen(text) + 1);
		*text = '/';
	}
	return text;
}

/* Is it that of a unit, wherever in the slices it is? */
static bool is_unit_pattern(const char *pattern)
{
	return !strchr(pattern, '/');
}

/* The last component of a path all others of which are slices; NULL when they are not. */
static const char *name_in_slices(const char *path)
{
	for (const char *slash; (slash = strchr(path, '/')); path = slash + 1)
		if (!ends_in(path, (size_t)(slash - path), ".slice"))
			return NULL;
	return path;
}

bool psc_cgroup_matches_below(const char *pattern, const char *path)
{
	_cleanup_free_ char *patterns = NULL, *parts = NULL;
	char *save[2], *glob, *part;

	if (is_unit_pattern(pattern)) {
		const char *name = name_in_slices(path);

		return name && ends_in(name, strlen(name), ".slice");
	}
	patterns = strdup(pattern);
	parts = strdup(path);
	if (!patterns || !parts)
		return true;
	glob = strtok_r(patterns, "/", &save[0]);
	part = strtok_r(parts, "/", &save[1]);
	while (glob && part && fnmatch(glob, part, FNM_NOESCAPE) == 0) {
		glob = strtok_r(NULL, "/", &save[0]);
		part = strtok_r(NULL, "/", &save[1]);
	}
	return glob && !part;
}

bool psc_cgroup_matches(const char *pattern, const char *path)
{
	if (is_unit_pattern(pattern)) {
		const char *name = name_in_slices(path);

		/* Perhaps with systemd's underscore. */
		return name && (fnmatch(pattern, name, FNM_NOESCAPE) == 0 ||
				(*name == '_' && fnmatch(pattern, name + 1, FNM_NOESCAPE) == 0));
	}
	return fnmatch(pattern + (*pattern == '/'), path, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

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
#include "kernel.h"
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

/* A cgroup that is looked at: by its directory, or by its id. */
struct place {
	int fd;
	__u64 id;
};

static void leave(struct place *place)
{
	psc_closep(&place->fd);
}

#define _cleanup_place_ __attribute__((cleanup(leave)))

/* The cgroups in one place, by name. */
struct child {
	__u64 id;		/* 0 where directories are read */
	char *name;
};

struct children {
	struct child *all;
	size_t n;
};

static void free_children(struct children *children)
{
	for (size_t i = 0; i < children->n; i++)
		free(children->all[i].name);
	free(children->all);
}

#define _cleanup_children_ __attribute__((cleanup(free_children)))

static int add_child(struct children *children, const char *name, __u64 id, bool slices)
{
	struct child *all;

	if (slices && !ends_in(name, strlen(name), ".slice"))
		return 0;
	if (!(children->n & (children->n - 1)) || !children->n) {
		all = reallocarray(children->all, children->n ? 2 * children->n : 1, sizeof(*all));
		if (!all)
			return -ENOMEM;
		children->all = all;
	}
	children->all[children->n] = (struct child){ id, strdup(name) };
	return children->all[children->n].name ? (children->n++, 0) : -ENOMEM;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct child *)a)->name, ((const struct child *)b)->name);
}

static int ask_children(struct psc_kernel *kernel, __u64 parent, bool slices, struct children *ret)
{
	struct psc_find_request req = {
		.abi = PSC_ABI, .op = PSC_FIND_CHILDREN, .parent = parent, .more = 1,
	};
	struct psc_found found;
	int err = 0;

	while (!err && req.more) {
		req.n = req.more = 0;
		err = psc_kernel_find(kernel, &req, &found);
		for (__u32 i = 0; !err && i < req.n && i < PSC_FOUND_MAX; i++)
			err = add_child(ret, found.cgroups[i].name, found.cgroups[i].id, slices);
	}
	return err;
}

static int read_children(int parent, bool slices, struct children *ret)
{
	int fd = openat(parent, ".", OPEN_TO_SEARCH), err = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream)
		return -errno;
	while (!err && (entry = readdir(stream)))
		if (entry->d_type == DT_DIR && !streq(entry->d_name, ".") &&
		    !streq(entry->d_name, ".."))
			err = add_child(ret, entry->d_name, 0, slices);
	closedir(stream);
	return err;
}

/* @slices: only those. Return: 0 or a negative errno */
static int list_children(const struct psc_cgroups *cgroups, const struct place *parent, bool slices,
			 struct children *ret)
{
	int err = cgroups->kernel ? ask_children(cgroups->kernel, parent->id, slices, ret) :
				    read_children(parent->fd, slices, ret);

	if (ret->n)
		qsort(ret->all, ret->n, sizeof(*ret->all), by_name);
	return err;
}

/* As kernfs_name_hash() of fs/kernfs/dir.c, where names are in the order of this number. */
static __u32 name_hash(const char *name)
{
	__u64 hash = 0;

	for (; *name; name++) {
		__u64 c = (unsigned char)*name;

		hash = (hash + (c << 4) + (c >> 4)) * 11;
	}
	hash = hash * 0x61C8864680B583EBULL >> 32 & 0x7fffffff;
	if (hash < 2)
		hash += 2;
	return hash >= INT_MAX ? INT_MAX - 1 : (__u32)hash;
}

/* Go to the cgroup @name in @parent. Return: 0 or a negative errno. */
static int enter(const struct psc_cgroups *cgroups, const struct place *parent, const char *name,
		 struct place *ret)
{
	struct psc_find_request req = {
		.abi = PSC_ABI, .op = PSC_FIND_CHILD, .parent = parent->id, .hash = name_hash(name),
	};
	struct stat st;
	int err;

	*ret = (struct place){ .fd = -1 };
	if (!cgroups->kernel) {
		ret->fd = openat(parent->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (ret->fd < 0 || fstat(ret->fd, &st) < 0)
			return -errno;
		ret->id = st.st_ino;
		return 0;
	}
	if (strlen(name) >= sizeof(req.name))
		return -ENAMETOOLONG;
	strcpy(req.name, name);
	err = psc_kernel_find(cgroups->kernel, &req, NULL);
	ret->id = req.id;
	return err;
}

static struct place root_place(const struct psc_cgroups *cgroups)
{
	/* Not one that may be closed. */
	return (struct place){ .fd = cgroups->kernel ? -1 : cgroups->root_fd };
}

/* That of a walk or a search being gone, or closed to us, is nothing to stop for. */
static bool is_passable(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENOTDIR || err == -EACCES;
}

/* The unit @name in the slice @place, which is at @path, and in the slices below. */
static int find_unit(const struct psc_cgroups *cgroups, const struct place *place, const char *path,
		     const char *name, unsigned int level, char **found)
{
	_cleanup_children_ struct children slices = {};
	_cleanup_place_ struct place unit;
	int err = enter(cgroups, place, name, &unit);

	if (err && !is_passable(err))
		return err;
	if (!err && *found)
		return PSC_CGROUP_AMBIGUOUS;
	err = err ? 0 : join(path, name, found);
	if (!err && level < PSC_CGROUP_LEVELS)
		err = list_children(cgroups, place, true, &slices);
	if (is_passable(err))
		return 0;
	for (size_t i = 0; !err && i < slices.n; i++) {
		_cleanup_free_ char *below = NULL;
		_cleanup_place_ struct place slice;

		err = enter(cgroups, place, slices.all[i].name, &slice);
		if (is_passable(err)) {
			err = 0;
			continue;
		}
		if (!err)
			err = join(path, slices.all[i].name, &below);
		if (!err)
			err = find_unit(cgroups, &slice, below, name, level + 1, found);
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
static int find_any_unit(const struct psc_cgroups *cgroups, const char *name, char **ret)
{
	_cleanup_free_ char *escaped = NULL, *found = NULL;
	const struct place root = root_place(cgroups);
	int err = find_unit(cgroups, &root, "", name, 0, &found);

	if (!err && !found) {
		if (asprintf(&escaped, "_%s", name) < 0) {
			escaped = NULL;
			return -ENOMEM;
		}
		err = find_unit(cgroups, &root, "", escaped, 0, &found);
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
		return find_any_unit(cgroups, path, ret);
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
static int go(const struct psc_cgroups *cgroups, const char *path, struct place *ret)
{
	_cleanup_free_ char *copy = strdup(path);
	struct place at = root_place(cgroups);
	bool moved = false;
	char *save;

	if (!copy)
		return -ENOMEM;
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		struct place next;
		int err = streq(part, ".") || streq(part, "..") ? -ENOENT :
			enter(cgroups, &at, part, &next);

		if (moved)
			leave(&at);
		if (err)
			return open_trouble(err);
		at = next;
		moved = true;
	}
	*ret = at;
	return moved ? 0 : PSC_CGROUP_ROOT;
}

int psc_cgroup_find(const struct psc_cgroups *cgroups, const char *name, struct psc_cgroup *ret)
{
	_cleanup_place_ struct place place = { .fd = -1 };
	_cleanup_free_ char *path = NULL;
	int err;

	if (cgroups->root_fd < 0)
		return PSC_CGROUP_UNMOUNTED;
	err = find_path(cgroups, name, &path);
	if (!err)
		err = go(cgroups, path, &place);
	if (!err && !cgroups->kernel)
		err = judge_directory(cgroups, place.fd);
	if (!err)
		*ret = (struct psc_cgroup){
			.fd = TAKE_FD(place.fd), .id = place.id, .path = TAKE_PTR(path),
		};
	return err;
}

int psc_cgroup_above(const struct psc_cgroups *cgroups, const char *path, __u64 id, char **ret)
{
	struct place at = root_place(cgroups);
	_cleanup_free_ char *copy = strdup(path);
	char *end = copy;
	bool found = false;

	if (!copy)
		return -ENOMEM;
	/* From the root downwards, so that every level is looked up once. */
	while (!found && *end) {
		char *part = end + (*end == '/');
		struct place next;
		char rest;
		int err;

		end = part + strcspn(part, "/");
		rest = *end;
		*end = '\0';
		err = enter(cgroups, &at, part, &next);
		*end = rest;
		if (at.fd != cgroups->root_fd)
			leave(&at);
		at = next;
		if (err)
			break;
		found = at.id == id;
	}
	if (at.fd != cgroups->root_fd)
		leave(&at);
	if (!found)
		return -ENOENT;
	*end = '\0';
	*ret = TAKE_PTR(copy);
	return 0;
}

struct walk {
	const struct psc_cgroups *cgroups;
	psc_cgroup_fn fn;
	void *data;
};

static int walk_children(const struct walk *walk, const struct place *place, const char *path,
			 const char *after, unsigned int level);

/* @after: where to go on inside this one, which then has been visited; "": at its beginning */
static int walk_one(const struct walk *walk, const struct place *parent, const char *path,
		    const struct child *child, const char *after, unsigned int level)
{
	_cleanup_place_ struct place place = { .fd = -1, .id = child->id };
	_cleanup_free_ char *below = NULL;
	int err = 0;

	if (!walk->cgroups->kernel)
		err = enter(walk->cgroups, parent, child->name, &place);
	if (err)
		return is_passable(err) ? 0 : err;
	err = join(path, child->name, &below);
	if (!err && !after)
		err = walk->fn(walk->data, &(struct psc_cgroup){ place.fd, place.id, below });
	if (err == PSC_CGROUP_SKIP)
		return 0;
	if (!err)
		err = walk_children(walk, &place, below, after && *after ? after : NULL,
				    level + 1);
	return err;
}

static int walk_children(const struct walk *walk, const struct place *place, const char *path,
			 const char *after, unsigned int level)
{
	_cleanup_children_ struct children children = {};
	size_t len = after ? strcspn(after, "/") : 0;
	int err = 0;

	if (level + 1 < PSC_CGROUP_LEVELS)
		err = list_children(walk->cgroups, place, false, &children);
	if (err)
		return is_passable(err) ? 0 : err;
	for (size_t i = 0; !err && i < children.n; i++) {
		const char *name = children.all[i].name;
		int order = 1;

		if (after) {
			order = strncmp(name, after, len);
			if (!order && name[len])
				order = 1;
		}
		if (order < 0)
			continue;
		err = walk_one(walk, place, path, &children.all[i],
			       order ? NULL : after + len + (after[len] == '/'), level);
	}
	return err;
}

int psc_cgroup_walk(const struct psc_cgroups *cgroups, const char *after, psc_cgroup_fn fn,
		    void *data)
{
	const struct walk walk = { cgroups, fn, data };
	const struct place root = root_place(cgroups);

	return cgroups->root_fd < 0 ? 0 :
		walk_children(&walk, &root, "", after && *after ? after : NULL, 0);
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

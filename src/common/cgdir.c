/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in a cgroup: asked of the kernel side, or read from directories. */
#include "cgdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kernel.h"
#include "util.h"

struct psc_cgdir psc_cgdir_root(const struct psc_cgroups *cgroups)
{
	return (struct psc_cgdir){ .fd = cgroups->kernel ? -1 : cgroups->root_fd };
}

void psc_cgdir_leave(struct psc_cgdir *place)
{
	psc_closep(&place->fd);
}

bool psc_path_canonical(char *path)
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

bool psc_name_ends_in(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(name + len - n, suffix, n) == 0;
}

int psc_path_join(const char *path, const char *name, char **ret)
{
	return asprintf(ret, "%s%s%s", path, *path ? "/" : "", name) < 0 ? -ENOMEM : 0;
}

void psc_children_free(struct psc_children *children)
{
	for (size_t i = 0; i < children->n; i++)
		free(children->all[i].name);
	free(children->all);
	*children = (struct psc_children){ 0 };
}

static int add_child(struct psc_children *children, const char *name, __u64 id, __u64 serial)
{
	struct psc_child *all;

	if (!(children->n & (children->n - 1))) {
		all = reallocarray(children->all, children->n ? 2 * children->n : 1, sizeof(*all));
		if (!all)
			return -ENOMEM;
		children->all = all;
	}
	children->all[children->n] = (struct psc_child){ id, serial, strdup(name) };
	return children->all[children->n].name ? (children->n++, 0) : -ENOMEM;
}

static bool is_wanted(const char *name, bool slices)
{
	return !slices || psc_name_ends_in(name, strlen(name), ".slice");
}

static int ask_children(struct psc_kernel *kernel, __u64 parent, bool slices,
			struct psc_mark *mark, struct psc_children *ret)
{
	struct psc_find_request req = {
		.abi = PSC_ABI, .op = PSC_FIND_CHILDREN, .parent = parent,
		.id = mark->id, .serial = mark->serial,
	};
	struct psc_found found;
	int err = psc_kernel_find(kernel, &req, &found);

	for (__u32 i = 0; !err && i < req.n && i < PSC_FOUND_MAX; i++)
		if (is_wanted(found.cgroups[i].name, slices))
			err = add_child(ret, found.cgroups[i].name, found.cgroups[i].id,
					found.cgroups[i].serial);
	*mark = (struct psc_mark){ req.id, req.serial };
	ret->making = req.source[0];
	return err ? err : req.more != 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct psc_child *)a)->name, ((const struct psc_child *)b)->name);
}

static int read_children(int parent, bool slices, const char *after, struct psc_children *ret)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream)
		return -errno;
	while (!err && (entry = readdir(stream)))
		if (entry->d_type == DT_DIR && !streq(entry->d_name, ".") &&
		    !streq(entry->d_name, "..") && is_wanted(entry->d_name, slices) &&
		    (!after || strcmp(entry->d_name, after) > 0))
			err = add_child(ret, entry->d_name, 0, 0);
	closedir(stream);
	if (ret->n)
		qsort(ret->all, ret->n, sizeof(*ret->all), by_name);
	return err;
}

int psc_cgdir_list(const struct psc_cgroups *cgroups, const struct psc_cgdir *parent, bool slices,
		   struct psc_mark *mark, const char *after, struct psc_children *ret)
{
	return cgroups->kernel ? ask_children(cgroups->kernel, parent->id, slices, mark, ret) :
				 read_children(parent->fd, slices, after, ret);
}

/*
 * As kernfs_name_hash() of fs/kernfs/dir.c, where names are in the order of this number.
 * @extend: bytes above 127 are negative, as they are before Linux 6.2 where char is signed
 */
static __u32 name_hash(const char *name, bool extend)
{
	__u64 hash = 0;

	for (; *name; name++) {
		__u64 c = extend ? (__u64)(signed char)*name : (unsigned char)*name;

		hash = (hash + (c << 4) + (c >> 4)) * 11;
	}
	hash = hash * 0x61C8864680B583EBULL >> 32 & 0x7fffffff;
	if (hash < 2)
		hash += 2;
	return hash >= INT_MAX ? INT_MAX - 1 : (__u32)hash;
}

int psc_cgdir_enter(const struct psc_cgroups *cgroups, const struct psc_cgdir *parent,
		    const char *name, struct psc_cgdir *ret)
{
	struct psc_find_request req = {
		.abi = PSC_ABI, .op = PSC_FIND_CHILD, .parent = parent->id,
		.hash = name_hash(name, false),
	};
	__u32 other = name_hash(name, true);
	struct stat st;
	int err;

	*ret = (struct psc_cgdir){ .fd = -1 };
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
	if (err == -ENOENT && other != req.hash) {
		req.hash = other;
		err = psc_kernel_find(cgroups->kernel, &req, NULL);
	}
	ret->id = req.id;
	return err;
}

bool psc_cgdir_is_passable(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENOTDIR || err == -EACCES;
}

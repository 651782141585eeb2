/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories that stand for cgroups. Include after cmocka.h. */
#ifndef CGROUP_TREE_H
#define CGROUP_TREE_H

#include "cgroup.h"
#include "fake_root.h"

static inline void cgroup_tree_new(struct fake_root *root, struct psc_cgroups *cgroups)
{
	fake_root_new(root);
	*cgroups = (struct psc_cgroups){
		.root_fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.mount = root->path,
	};
	assert_return_code(cgroups->root_fd, 0);
}

static inline void cgroup_tree_free(struct fake_root *root, struct psc_cgroups *cgroups)
{
	psc_cgroups_close(cgroups);
	fake_root_free(root);
}

/* Make this one, "a/b", and those above it. */
static inline void cgroup_make(const struct fake_root *root, const char *path)
{
	char full[PATH_MAX];

	assert_true(snprintf(full, sizeof(full), "/%s/", path) < (int)sizeof(full));
	fake_root_path(root, full, (char [PATH_MAX]){ 0 });
}

static inline __u64 cgroup_ino(const struct psc_cgroups *cgroups, const char *path)
{
	struct stat st;

	assert_return_code(fstatat(cgroups->root_fd, path, &st, 0), 0);
	return st.st_ino;
}

#endif

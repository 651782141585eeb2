/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory that stands for / or /proc in a test. Include after cmocka.h. */
#ifndef FAKE_ROOT_H
#define FAKE_ROOT_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fake_root {
	char path[128];
};

static inline void fake_root_new(struct fake_root *root)
{
	const char *tmp = getenv("TMPDIR");

	assert_true(snprintf(root->path, sizeof(root->path), "%s/psc-test-XXXXXX",
			     tmp ? tmp : "/tmp") < (int)sizeof(root->path));
	assert_non_null(mkdtemp(root->path));
}

static inline void fake_root_path(const struct fake_root *root, const char *name,
				  char path[PATH_MAX])
{
	assert_true(snprintf(path, PATH_MAX, "%s%s", root->path, name) < PATH_MAX);
	for (char *p = strchr(path + strlen(root->path) + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		(void)mkdir(path, 0700);
		*p = '/';
	}
}

/* Write "/a/file" below it, any bytes, the directories included. */
static inline void fake_root_bytes(const struct fake_root *root, const char *name,
				   const void *bytes, size_t len)
{
	char path[PATH_MAX];
	FILE *file;

	fake_root_path(root, name, path);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void fake_root_write(const struct fake_root *root, const char *name, const char *text)
{
	fake_root_bytes(root, name, text, strlen(text));
}

static inline void fake_root_link(const struct fake_root *root, const char *name,
				  const char *target)
{
	char path[PATH_MAX];

	fake_root_path(root, name, path);
	assert_int_equal(symlink(target, path), 0);
}

static inline void fake_root_remove(const struct fake_root *root, const char *name)
{
	char path[PATH_MAX];

	fake_root_path(root, name, path);
	assert_int_equal(unlink(path), 0);
}

static inline int fake_root_rm(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void fake_root_free(struct fake_root *root)
{
	assert_int_equal(nftw(root->path, fake_root_rm, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif

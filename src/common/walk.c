/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk over cgroups that can pause. */
#include "walk.h"

#include <errno.h>

#include "base64.h"
#include "turn.h"
#include "util.h"

/* So deep that nothing below can have an entry. */
#define DEPTH_MAX (PSC_CGROUP_LEVELS - 1)

static struct psc_walk_level *last_level(struct psc_walk *walk)
{
	return &walk->levels[walk->depth - 1];
}

static void add_level(struct psc_walk *walk, struct psc_cgdir place, size_t len)
{
	walk->levels[walk->depth++] = (struct psc_walk_level){ .place = place, .len = len };
}

static void leave_level(struct psc_walk *walk)
{
	struct psc_walk_level *level = last_level(walk);

	psc_children_free(&level->part);
	free(level->after);
	if (--walk->depth)	/* the root's is not ours */
		psc_cgdir_leave(&level->place);
	if (walk->depth && walk->path)
		walk->path[last_level(walk)->len] = '\0';
}

void psc_walk_begin(struct psc_walk *walk, const struct psc_cgroups *cgroups, bool slices)
{
	*walk = (struct psc_walk){
		.cgroups = cgroups, .slices = slices, .at = { .fd = -1 },
	};
	if (cgroups->root_fd >= 0)
		add_level(walk, psc_cgdir_root(cgroups), 0);
}

void psc_walk_end(struct psc_walk *walk)
{
	while (walk->depth)
		leave_level(walk);
	psc_cgdir_leave(&walk->at);
	free(walk->path);
	*walk = (struct psc_walk){ .at = { .fd = -1 } };
}

void psc_walk_skip(struct psc_walk *walk)
{
	psc_cgdir_leave(&walk->at);
	walk->at.fd = -1;
	walk->entering = false;
	if (walk->depth && walk->path)
		walk->path[last_level(walk)->len] = '\0';
}

/* What is below the one that was given last comes next. */
static void enter(struct psc_walk *walk)
{
	if (walk->depth >= DEPTH_MAX) {
		psc_walk_skip(walk);
		return;
	}
	add_level(walk, walk->at, strlen(walk->path));
	walk->at = (struct psc_cgdir){ .fd = -1 };
	walk->entering = false;
}

/* Return: 0, -EINPROGRESS, or another negative errno */
static int list(struct psc_walk *walk)
{
	struct psc_walk_level *level = last_level(walk);
	int more;

	/* There is progress in every turn, even where turns last before we begin. */
	if (walk->listed && psc_turn_spent()) {
		walk->listed = false;
		return -EINPROGRESS;
	}
	walk->listed = true;
	psc_children_free(&level->part);
	level->next = 0;
	more = psc_cgdir_list(walk->cgroups, &level->place, walk->slices, &level->mark,
			      level->after, &level->part);
	level->ended = more <= 0;
	if (!walk->making)
		walk->making = level->part.making;
	return more > 0 || psc_cgdir_is_passable(more) ? 0 : more;
}

/* Return: 1, 0 when it has gone, or a negative errno */
static int give(struct psc_walk *walk, struct psc_walk_level *level, struct psc_cgroup *ret)
{
	const struct psc_child *child = &level->part.all[level->next++];
	struct psc_cgdir place = { .fd = -1, .id = child->id };
	char *path;
	int err = 0;

	level->given = (struct psc_mark){ child->id, child->serial };
	if (!walk->cgroups->kernel)
		err = psc_cgdir_enter(walk->cgroups, &level->place, child->name, &place);
	if (!err)
		err = psc_path_join(walk->path ? walk->path : "", child->name, &path);
	if (err) {
		psc_cgdir_leave(&place);
		return psc_cgdir_is_passable(err) ? 0 : err;
	}
	free(walk->path);
	walk->path = path;
	walk->at = place;
	walk->entering = true;
	*ret = (struct psc_cgroup){ place.fd, place.id, path };
	return 1;
}

int psc_walk_next(struct psc_walk *walk, struct psc_cgroup *ret)
{
	int got = 0;

	if (walk->entering)
		enter(walk);
	while (!got && walk->depth) {
		struct psc_walk_level *level = last_level(walk);

		if (level->next < level->part.n)
			got = give(walk, level, ret);
		else if (!level->ended)
			got = list(walk);
		else
			leave_level(walk);
	}
	return got;
}

size_t psc_walk_above(const struct psc_walk *walk, __u64 id)
{
	if (walk->entering && walk->at.id == id)
		return strlen(walk->path);
	for (unsigned int i = 1; i < walk->depth; i++)
		if (walk->levels[i].place.id == id)
			return walk->levels[i].len;
	return 0;
}

/*
 * A position, as bytes: how many marks there are, these, and a path. One mark for each part of
 * the path, and one more where the last one's children have been begun.
 */
struct position {
	unsigned int n;
	const struct psc_mark *marks;
	char *path;
};

char *psc_walk_position(const struct psc_walk *walk)
{
	const char *path = walk->path ? walk->path : "";
	size_t len = strlen(path);
	struct psc_mark marks[PSC_CGROUP_LEVELS];
	unsigned char n = (unsigned char)walk->depth;
	_cleanup_free_ unsigned char *bytes = malloc(1 + sizeof(marks) + len);

	for (unsigned int i = 0; i < n; i++) {
		const struct psc_walk_level *level = &walk->levels[i];

		/* With nothing left of this part, the mark has gone on. */
		marks[i] = i + 1 < n || walk->entering || level->next < level->part.n ?
			level->given : level->mark;
	}
	if (!bytes)
		return NULL;
	bytes[0] = n;
	memcpy(bytes + 1, marks, n * sizeof(*marks));
	memcpy(bytes + 1 + n * sizeof(*marks), path, len);
	return psc_base64_encode(bytes, 1 + n * sizeof(*marks) + len);
}

/* How many names a path has; -EINVAL where it is none. */
static int count_names(const char *path, size_t len)
{
	_cleanup_free_ char *copy = strndup(path, len);
	int n = *path && len;

	if (!copy)
		return -ENOMEM;
	if (strlen(copy) != len || !psc_path_canonical(copy) || strlen(copy) != len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		n += path[i] == '/';
	return n;
}

/* One more level, towards where the walk was. Return: was it gone? or a negative errno */
static int go_down(struct psc_walk *walk, const char *name, struct psc_mark mark)
{
	struct psc_cgdir place = { .fd = -1, .id = mark.id };
	struct psc_walk_level *level = last_level(walk);
	char *path;
	int err = 0;

	level->given = level->mark = mark;
	level->after = strdup(name);
	if (!level->after)
		return -ENOMEM;
	if (walk->depth >= DEPTH_MAX)
		err = -ENOENT;
	else if (!walk->cgroups->kernel)
		err = psc_cgdir_enter(walk->cgroups, &level->place, name, &place);
	if (psc_cgdir_is_passable(err)) {
		psc_cgdir_leave(&place);
		return 1;
	}
	if (!err)
		err = psc_path_join(walk->path ? walk->path : "", name, &path);
	if (err) {
		psc_cgdir_leave(&place);
		return err;
	}
	free(walk->path);
	walk->path = path;
	add_level(walk, place, strlen(path));
	return 0;
}

/* @path is taken apart. */
static int go_to(struct psc_walk *walk, const struct psc_mark *marks, unsigned int n, char *path)
{
	unsigned int i = 0;
	char *save;
	int gone = 0;

	for (char *name = strtok_r(path, "/", &save); name && !gone; name = strtok_r(NULL, "/", &save))
		gone = go_down(walk, name, marks[i++]);
	if (gone)
		return gone < 0 ? gone : 0;
	if (i < n)
		last_level(walk)->given = last_level(walk)->mark = marks[i];
	return 0;
}

int psc_walk_resume(struct psc_walk *walk, const char *position)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	struct psc_mark marks[PSC_CGROUP_LEVELS];
	unsigned int n;
	size_t len, head;
	int err = psc_base64_decode(position, &bytes, &len), names;

	if (err)
		return err;
	n = bytes[0];
	head = 1 + n * sizeof(*marks);
	if (!n || n >= PSC_CGROUP_LEVELS || head > len)
		return -EINVAL;
	names = count_names((char *)bytes + head, len - head);
	if (names < 0 || ((unsigned int)names != n && (unsigned int)names + 1 != n))
		return names == -ENOMEM ? names : -EINVAL;
	memcpy(marks, bytes + 1, n * sizeof(*marks));
	return walk->depth ? go_to(walk, marks, n, (char *)bytes + head) : 0;
}

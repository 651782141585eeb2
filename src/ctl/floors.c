/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects the floors of the system and of cgroups, and prints them. */
#include "floors.h"

#include <errno.h>

#include "answer.h"
#include "call.h"
#include "cgroup.h"
#include "client.h"
#include "json.h"
#include "names.h"
#include "show.h"
#include "util.h"

#define SHOWN_MAX 20

/* Add a cgroup, if it has a floor; takes over @path. Return: whether there was memory. */
static bool add(json_t *floors, json_t *path, const unsigned int floor[PSC_MODE_SLOTS])
{
	json_t *object = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (floor[mode])
			json_object_set_new(object, psc_mode_word(mode),
					    json_integer(floor[mode]));
	if (!object || !path || !json_object_size(object)) {
		json_decref(path);
		json_decref(object);
		return object && path;
	}
	return !json_array_append_new(floors, json_pack("{s:o, s:o}", "path", path, "floor", object));
}

/* Add those of one answer. Return: whether it was one. */
static bool add_answer(json_t *floors, const json_t *cgroups)
{
	if (!psc_is_cgroups(cgroups))
		return false;
	for (size_t i = 0; i < json_array_size(cgroups); i++) {
		const json_t *cgroup = json_array_get(cgroups, i);
		const json_t *entry = json_object_get(cgroup, "entry");
		unsigned int floor[PSC_MODE_SLOTS] = {};

		for (unsigned int mode = 0; json_is_object(entry) && mode < PSC_MODE_SLOTS; mode++)
			floor[mode] = (unsigned int)psc_show_number(
				json_object_get(entry, psc_mode_word(mode)), "floor");
		if (!add(floors, json_incref(json_object_get(cgroup, "path")), floor))
			return false;
	}
	return true;
}

json_t *psc_floors_ask(const struct psc_cli *cli)
{
	json_t *floors = json_array(), *after = NULL;
	json_int_t seen = 0, entries;
	bool good;

	do {
		struct psc_answer answer = {};
		const json_t *cgroups;

		good = !psc_client_call(cli->socket, PSC_METHOD("CgroupList"),
					json_pack("{s:o*}", "after", after),
					PSC_CLIENT_TIMEOUT_MS, &answer) && !answer.error;
		cgroups = json_object_get(answer.parameters, "cgroups");
		good = good && add_answer(floors, cgroups);
		seen += (json_int_t)json_array_size(cgroups);
		entries = psc_show_number(answer.parameters, "entries");
		after = json_incref(json_object_get(answer.parameters, "next"));
		psc_answer_free(&answer);
	} while (good && json_is_string(after) && seen < entries);
	json_decref(after);
	if (good)
		return psc_show_by_path(floors);
	json_decref(floors);
	return NULL;
}

struct search {
	struct psc_kernel *kernel;
	json_t *floors;
};

static int visit(void *data, const struct psc_cgroup *cgroup)
{
	struct psc_request info = {
		.abi = PSC_ABI, .op = PSC_OP_INFO, .flags = PSC_FLAG_CGROUP, .cgroup = cgroup->id,
	};
	struct search *search = data;
	unsigned int floor[PSC_MODE_SLOTS];
	int err = psc_kernel_request(search->kernel, &info);

	/* Gone meanwhile, or one that cannot have an entry. */
	if (err)
		return psc_cgroup_trouble_of(err) ? 0 : err;
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		floor[mode] = info.policy.floor[mode];
	return add(search->floors, psc_json_text(cgroup->path), floor) ? 0 : -ENOMEM;
}

json_t *psc_floors_find(struct psc_kernel *kernel)
{
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	struct search search = { kernel, json_array() };
	struct psc_cgroups cgroups;
	int err = psc_kernel_request(kernel, &info);

	psc_cgroups_open(&cgroups);
	/* Who owns a directory could keep us waiting in it: cgroup.h. */
	cgroups.kernel = kernel;
	if (!err && info.entries)
		err = psc_cgroup_walk(&cgroups, visit, &search);
	psc_cgroups_close(&cgroups);
	if (!err)
		return psc_show_by_path(search.floors);
	json_decref(search.floors);
	return NULL;
}

/* "attach 3 (no-attach), traceme 3 (no-attach)" */
static void print_floor(FILE *out, const json_t *floor)
{
	const char *before = "";

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		json_int_t value = psc_show_number(floor, psc_mode_word(mode));
		char label[PSC_LABEL_SIZE];

		if (value <= 0)
			continue;
		fprintf(out, "%s%s %s", before, psc_mode_word(mode),
			psc_value_label(psc_name_of_mode((enum psc_mode)mode), (unsigned int)value,
					label));
		before = ", ";
	}
}

static void print_cgroup(FILE *out, const json_t *cgroup)
{
	_cleanup_free_ char *path = psc_show_path(cgroup, "path");

	fprintf(out, "%s: ", path ? path : "?");
	print_floor(out, json_object_get(cgroup, "floor"));
}

void psc_floors_show(FILE *out, const json_t *floors)
{
	size_t n = json_array_size(floors);

	for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
		fprintf(out, "%14s: ", i ? "" : "cgroup floors");
		print_cgroup(out, json_array_get(floors, i));
		fputc('\n', out);
	}
	if (n > SHOWN_MAX)
		fprintf(out, "%14s: and %zu more: ptracescopectl --json status\n", "",
			n - SHOWN_MAX);
}

/* The floors of a policy, as of one cgroup. */
static json_t *floor_of(const json_t *policy)
{
	json_t *floor = json_object();

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		json_int_t value = psc_show_number(json_object_get(policy, psc_mode_word(mode)),
						   "floor");

		if (value > 0)
			json_object_set_new(floor, psc_mode_word(mode), json_integer(value));
	}
	return floor;
}

char *psc_floors_reason(const json_t *policy, const json_t *floors)
{
	json_t *global = floor_of(policy);
	size_t n = json_array_size(floors), len;
	char *text = NULL;
	FILE *out = open_memstream(&text, &len);

	if (out) {
		fputs("a floor keeps the programs in force until reboot: ", out);
		if (json_object_size(global)) {
			fputs("global: ", out);
			print_floor(out, global);
		} else if (!n) {
			fputs("of a cgroup that is gone, or cannot be found", out);
		}
		for (size_t i = 0; i < n && i < SHOWN_MAX; i++) {
			fputs(i || json_object_size(global) ? "; cgroup " : "cgroup ", out);
			print_cgroup(out, json_array_get(floors, i));
		}
		if (n > SHOWN_MAX)
			fprintf(out, "; and of %zu more cgroups", n - SHOWN_MAX);
		fputs("; to be rid of it: systemctl disable ptracescoped, and reboot", out);
		if (fclose(out)) {
			free(text);
			text = NULL;
		}
	}
	json_decref(global);
	return text;
}

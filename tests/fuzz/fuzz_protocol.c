/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol and all methods: calls, each up to a line feed, to the service with a backend in
 * memory, over a socket. The first byte says whether the client may change something, whether
 * cgroups can be locked, and what fails.
 */
#include "fuzz.h"

#include "cgroup_tree.h"
#include "socket_client.h"

static struct service service;
static struct fake_root root;
static struct psc_cgroups cgroups;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	psc_log_set_level(-1);
	cgroup_tree_new(&root, &cgroups);
	cgroup_make(&root, "a.slice/b.service/c");
	cgroup_make(&root, "a.slice/d.scope");
	service_start(&service, &limits);
	service.fake.cgroups = cgroups;
	return 0;
}

/* A reply is an object with "parameters", and "error" or not. */
static void check_reply(const char *text)
{
	json_t *reply = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *error;

	CHECK(json_is_object(reply));
	CHECK(json_is_object(json_object_get(reply, "parameters")));
	error = json_object_get(reply, "error");
	CHECK(!error || json_is_string(error));
	CHECK(json_object_size(reply) == (error ? 2 : 1));
	json_decref(reply);
}

static void check_policy(const union psc_policy *before)
{
	const struct fake_backend *fake = &service.fake;

	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++) {
		CHECK(psc_scope_rank(fake->policy.floor[mode]) >= psc_scope_rank(before->floor[mode]));
		CHECK(psc_scope_rank(fake->policy.scope[mode]) >=
		      psc_scope_rank(fake->policy.floor[mode]));
	}
	CHECK(fake->capable || (fake->policy.word == before->word && !fake->n_entries &&
				!fake->detached && !fake->reloaded));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char reply[1 << 20];
	struct input in = { data, size };
	struct fake_backend *fake = &service.fake;
	const uint8_t how = take_byte(&in);
	enum got got = GOT_NOTHING;
	int fd;

	*fake = (struct fake_backend){
		.cgroups = cgroups, .capable = how & 1, .blind = how & 2,
		.request_err = how & 4 ? -PSC_E_AGAIN : 0, .reload_err = how & 8 ? -EINVAL : 0,
		.reload_message = "a: b\n", .detach_err = how & 16 ? -EACCES : 0,
	};
	fd = open_client(&service);
	for (int i = 0; i < 16 && in.size && got != GOT_END; i++) {
		const union psc_policy before = fake->policy;
		char *message = take_until(&in, '\n', NULL);
		size_t len = strlen(message) + 1;

		if (len <= MESSAGE_MAX) {
			put(fd, message, len);
			spin(&service);
			while ((got = get(fd, reply, sizeof(reply))) == GOT_REPLY)
				check_reply(reply);
			check_policy(&before);
		}
		free(message);
	}
	close(fd);
	spin(&service);
	return 0;
}

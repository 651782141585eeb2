/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an OCI runtime tells its hook. The first byte says whether there is a default; up to
 * two bytes 0xff come the cgroups of the container and of the hook, then the state.
 */
#include "fuzz.h"

#include <errno.h>

#include "names.h"
#include "oci.h"
#include "ptracescope.h"

#define END 0xff

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void try_cgroup(const char *container, const char *hook, const char *id)
{
	char *cgroup = NULL, *error = NULL;
	int err = psc_oci_cgroup(container, hook, id, &cgroup, &error);

	CHECK(err == 0 || err == -EINVAL);
	CHECK(!err == !error && !err == !!cgroup);
	if (error)
		check_printable(error);
	if (cgroup) {
		/* It holds the container and not the hook. */
		const size_t len = strlen(cgroup);

		CHECK(strncmp(container, cgroup, len) == 0);
		CHECK(container[len] == '/' || !container[len]);
		CHECK(strncmp(hook, cgroup, len) != 0 || (hook[len] && hook[len] != '/'));
	}
	free(cgroup);
	free(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const uint8_t how = take_byte(&in);
	const unsigned int fallback = how % 5;
	char *container = take_until(&in, END, NULL), *hook = take_until(&in, END, NULL);
	char *text = malloc(in.size), *error = NULL;
	struct psc_oci oci = {};
	int err;

	/* Without a NUL behind it. */
	if (in.size)
		memcpy(text, in.data, in.size);
	err = psc_oci_parse(text, in.size, how & 128 ? &fallback : NULL, &oci, &error);
	CHECK(err == 0 || err == -EINVAL);
	CHECK(!err == !error);
	if (error)
		check_printable(error);
	if (!err && oci.wanted) {
		CHECK(oci.id && *oci.id && oci.pid > 0);
		CHECK(psc_scope_word(oci.scope));
		CHECK(oci.asked || (how & 128 && oci.scope == fallback && !oci.lock));
	}
	if (oci.id && *oci.id)
		try_cgroup(container, hook, oci.id);
	psc_oci_free(&oci);
	free(error);
	free(text);
	free(container);
	free(hook);
	return 0;
}

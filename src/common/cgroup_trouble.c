/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be wrong with the name of a cgroup, in words. */
#include "cgroup.h"
#include "kernel.h"

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

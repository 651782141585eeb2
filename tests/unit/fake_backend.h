/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A backend for the socket that keeps its policy in memory, by the real rules of change. */
#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.h"
#include "control_call.h"
#include "json.h"
#include "ptracescope_policy.h"

#define FAKE_CGROUPS_MAX 1024

struct fake_entry {
	__u64 id;
	union psc_policy policy;
	__u32 origin, sticky;
};

struct fake_backend {
	union psc_policy policy;
	struct psc_cgroups cgroups;	/* directories that stand for cgroups */
	struct fake_entry entries[FAKE_CGROUPS_MAX];
	unsigned int n_entries;
	int request_err;	/* of the next psc_ctl run that changes something, once */
	bool change_waits;	/* there is to be a first floor */
	int peer_err;
	__u32 capable, account;
	bool off;		/* the programs are not in force */
	bool blind;		/* cgroups cannot be locked */
	int detach_err;
	int reload_err;
	const char *reload_message;
	unsigned int detached, reloaded, reloads;
	bool reload_waits;
	struct psc_explanation explanation;	/* what Explain finds */
	struct psc_explain_request explained;	/* what was asked last */
	int explain_err;
	unsigned int looks;
	struct psc_recent recent;
	struct psc_watchers watchers;
	struct psc_metrics metrics;
	int metrics_err;
	unsigned int reused;	/* from that look on the tracee's pid is another's; 0: never */
};

static inline __u64 fake_id(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static inline struct fake_entry *fake_entry(struct fake_backend *fake, __u64 id)
{
	for (unsigned int i = 0; i < fake->n_entries; i++)
		if (fake->entries[i].id == id)
			return &fake->entries[i];
	return NULL;
}

/* What the directories above one say, and the global policy. */
static inline void fake_add_above(struct fake_backend *fake, int dir_fd, struct psc_effective *ret)
{
	__u64 root = fake_id(fake->cgroups.root_fd), id = 0;
	int fd = dir_fd;

	while (id != root) {
		int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		const struct fake_entry *entry;

		if (fd != dir_fd)
			close(fd);
		fd = up;
		id = fake_id(fd);
		entry = fake_entry(fake, id);
		if (entry)
			psc_effective_add(ret, &entry->policy, id);
	}
	close(fd);
	psc_effective_add(ret, &fake->policy, 0);
}

static inline int fake_cgroup_request(struct fake_backend *fake, struct psc_request *req)
{
	struct psc_effective above = PSC_EFFECTIVE_NONE, all = PSC_EFFECTIVE_NONE;
	struct fake_entry entry = { .id = fake_id(req->dir_fd), .policy = PSC_POLICY_NONE };
	struct fake_entry *old = fake_entry(fake, entry.id);
	int err;

	if (old)
		entry = *old;
	fake_add_above(fake, req->dir_fd, &above);
	psc_effective_end(&above);
	req->before = entry.policy;
	err = psc_policy_change(&entry.policy, req, &above.policy);
	if (!err && fake->blind && psc_policy_locked(&entry.policy))
		err = -PSC_E_OPNOTSUPP;
	if (err)
		return err;
	if (req->op != PSC_OP_INFO) {
		entry.origin = req->origin;
		entry.sticky = (entry.sticky | req->stick) & ~req->unstick;
		if (!old)
			old = &fake->entries[fake->n_entries++];
		*old = entry;
		if (entry.policy.word == PSC_POLICY_NONE.word)
			*old = fake->entries[--fake->n_entries];
	}
	psc_effective_add(&all, &entry.policy, entry.id);
	fake_add_above(fake, req->dir_fd, &all);
	psc_effective_end(&all);
	req->policy = entry.policy;
	req->origin = entry.origin;
	req->effective = all.policy;
	req->cgroup = entry.id;
	req->sticky = 0;
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS; mode++)
		if (entry.policy.scope[mode] != PSC_SCOPE_INHERIT)
			req->sticky |= entry.sticky & PSC_MODE_BIT(mode);
	memcpy(req->source, all.scope_from, sizeof(req->source));
	return 0;
}

static int fake_request(void *data, struct psc_request *req)
{
	struct fake_backend *fake = data;
	int err = req->op == PSC_OP_INFO ? 0 : fake->request_err;

	if (req->op != PSC_OP_INFO)
		fake->request_err = 0;
	if (err)
		return err;
	req->entries = fake->n_entries;
	req->sees_moves = !fake->blind;
	if (req->flags & PSC_FLAG_CGROUP)
		return fake_cgroup_request(fake, req);
	req->before = fake->policy;
	err = psc_policy_change(&fake->policy, req, NULL);
	if (!err)
		req->policy = fake->policy;
	return err;
}

/* As the daemon does: what is under way is kept. */
static int fake_change(void *data, struct psc_request *req, struct psc_pending *pending)
{
	struct fake_backend *fake = data;
	const struct psc_request *kept = pending->data;
	int err, dir_fd = req->dir_fd;

	if (kept && fake->change_waits)
		return -EINPROGRESS;
	if (!kept && fake->change_waits) {
		pending->data = memcpy(malloc(sizeof(*req)), req, sizeof(*req));
		pending->free = free;
		return -EINPROGRESS;
	}
	if (kept) {
		*req = *kept;
		req->dir_fd = dir_fd;
	}
	err = fake_request(data, req);
	free(pending->data);
	*pending = (struct psc_pending){ 0 };
	return err;
}

static int fake_peer(void *data, int fd, struct psc_peer *ret)
{
	struct fake_backend *fake = data;

	(void)fd;
	if (!fake->peer_err)
		*ret = (struct psc_peer){ .capable = fake->capable, .account = fake->account };
	return fake->peer_err;
}

static json_t *fake_status(void *data)
{
	struct fake_backend *fake = data;

	return json_pack("{s:b, s:o}", "enforcing", !fake->off,
			 "policy", psc_json_policy(&fake->policy));
}

static int fake_metrics(void *data, struct psc_metrics *ret)
{
	struct fake_backend *fake = data;

	*ret = fake->metrics;
	return fake->metrics_err;
}

static int fake_detach(void *data)
{
	struct fake_backend *fake = data;

	if (!fake->detach_err)
		fake->detached++;
	return fake->detach_err;
}

/* As the daemon does: it takes some turns. */
static int fake_reload(void *data, unsigned int *number, char **ret_error)
{
	struct fake_backend *fake = data;

	if (!*number)
		*number = ++fake->reloads;
	if (fake->reload_waits)
		return -EAGAIN;
	if (!fake->reload_err)
		fake->reloaded++;
	else if (fake->reload_message)
		*ret_error = strdup(fake->reload_message);
	return fake->reload_err;
}

static int fake_explain(void *data, struct psc_explain_request *req, struct psc_explanation *ret)
{
	struct fake_backend *fake = data;

	fake->explained = *req;
	*ret = fake->explanation;
	if (++fake->looks >= fake->reused && fake->reused)
		ret->tracee.start_ns++;
	return fake->explain_err;
}

/* Process 100 is in the cgroup 2, the root's child "a", 200 in 3, its child "b\n". */
static int fake_names(void *data, struct psc_explain_request *req, struct psc_found *ret)
{
	(void)data;
	if (req->tracee != 100 && req->tracee != 200)
		return -PSC_E_SRCH;
	*ret = (struct psc_found){ .cgroups = { { 1, 0, "" }, { 2, 0, "a" }, { 3, 0, "b\n" } } };
	req->n = req->tracee == 100 ? 2 : 3;
	return 0;
}

static inline struct psc_backend fake_backend_ops(struct fake_backend *fake)
{
	return (struct psc_backend){
		.data = fake,
		.cgroups = &fake->cgroups,
		.recent = &fake->recent,
		.watchers = &fake->watchers,
		.request = fake_request,
		.change = fake_change,
		.peer = fake_peer,
		.status = fake_status,
		.metrics = fake_metrics,
		.explain = fake_explain,
		.names = fake_names,
		.detach = fake_detach,
		.reload = fake_reload,
	};
}

#endif

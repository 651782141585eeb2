/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to write, or at least to reach, a map of ours. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attack.h"
#include "ptracescope_state.h"
#include "util.h"

static int map_fd = -1, other_fd = -1;
static struct bpf_map_info info;

static int get_info(void)
{
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(map_fd, &info, &len) ? failed("info") : 0;
}

/* The map of that name among the descriptors of another process. */
static int take_from(pid_t pid, const char *name)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0)
		return failed("pidfd");
	for (int fd = 0; fd < 256; fd++) {
		__u32 len = sizeof(info);

		map_fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		if (map_fd < 0 && errno == EPERM)
			return failed("getfd");
		memset(&info, 0, sizeof(info));
		if (map_fd >= 0 && !bpf_obj_get_info_by_fd(map_fd, &info, &len) &&
		    strcmp(info.name, name) == 0)
			return 0;
		close(map_fd);
	}
	errno = ENOENT;
	return failed("getfd");
}

/* PIN, NAME among all maps, or PID and the NAME of one that this process has open. */
static int open_map(char **args)
{
	if (args[1])
		return take_from(atoi(args[0]), args[1]);
	map_fd = args[0][0] == '/' ? bpf_obj_get(args[0]) : map_by_name(args[0]);
	return map_fd < 0 ? failed("open") : get_info();
}

static int run_open(char **args)
{
	return open_map(args);
}

/* --- the operations of bpf(2) --- */

static char key[64], value[1 << 16];

static int run_update(char **args)
{
	(void)args;
	return bpf_map_update_elem(map_fd, key, value, BPF_ANY) ? failed("update") : 0;
}

static int run_delete(char **args)
{
	(void)args;
	return bpf_map_delete_elem(map_fd, key) ? failed("delete") : 0;
}

static int run_take(char **args)
{
	(void)args;
	return bpf_map_lookup_and_delete_elem(map_fd, key, value) ? failed("take") : 0;
}

static int run_batch(char **args)
{
	__u32 count = 1;

	(void)args;
	return bpf_map_update_batch(map_fd, key, value, &count, NULL) ? failed("batch") : 0;
}

static int run_batch_delete(char **args)
{
	__u32 count = 1;

	(void)args;
	return bpf_map_delete_batch(map_fd, key, &count, NULL) ? failed("batch") : 0;
}

static int run_batch_take(char **args)
{
	__u32 count = 1, batch = 0;

	(void)args;
	return bpf_map_lookup_and_delete_batch(map_fd, NULL, &batch, key, value, &count, NULL) ?
		failed("batch") : 0;
}

static int run_mmap(char **args)
{
	(void)args;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0) == MAP_FAILED ?
		failed("mmap") : 0;
}

/* The reader's position, far ahead: whoever writes finds the buffer full. */
static int run_ring(char **args)
{
	unsigned long *position = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);

	(void)args;
	if (position == MAP_FAILED)
		return failed("mmap");
	*position -= 1UL << 40;
	return 0;
}

/* The producer's side: events that never were. */
static int run_ring_forge(char **args)
{
	(void)args;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 4096) == MAP_FAILED ?
		failed("mmap") : 0;
}

/* --- as the inner map of another one, which a program then uses --- */

static int outer_fd = -1;

static int make_outer(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = info.map_flags);
	LIBBPF_OPTS(bpf_map_create_opts, outer);
	int template = bpf_map_create(info.type, "template", info.key_size, info.value_size,
				      info.max_entries, &opts);

	if (template < 0)
		return failed("template");
	outer.inner_map_fd = (__u32)template;
	outer_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", 4, 4, 1, &outer);
	close(template);
	return outer_fd < 0 ? failed("outer") : 0;
}

static int fill_outer(void)
{
	__u32 zero = 0;

	return bpf_map_update_elem(outer_fd, &zero, &map_fd, BPF_ANY) ? failed("insert") : 0;
}

/* Looks up the first value of the inner map and zeroes what is there. */
static int load_through_outer(void)
{
	const struct bpf_insn insns[] = {
		STORE_IMM(BPF_REG_10, -8, 0),
		MAP_FD(BPF_REG_1, outer_fd),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_EQ(BPF_REG_0, 0, 7),
		MOV_REG(BPF_REG_1, BPF_REG_0),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_EQ(BPF_REG_0, 0, 2),
		STORE_IMM(BPF_REG_0, 0, 0),
		MOV_IMM(BPF_REG_0, 1),
		EXIT(),
	};

	other_fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "user", "GPL", insns,
				 ARRAY_SIZE(insns), NULL);
	return other_fd < 0 ? failed("load") : 0;
}

static int test_run(void)
{
	char packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	return bpf_prog_test_run_opts(other_fd, &opts) ? failed("run") : 0;
}

static int run_outer(char **args)
{
	(void)args;
	return make_outer() ?: fill_outer() ?: load_through_outer() ?: test_run();
}

static int prepare_outer_filled(char **args)
{
	return open_map(args) ?: make_outer() ?: fill_outer();
}

static int run_outer_filled(char **args)
{
	(void)args;
	return load_through_outer() ?: test_run();
}

static int prepare_outer_loaded(char **args)
{
	return prepare_outer_filled(args) ?: load_through_outer();
}

static int run_outer_loaded(char **args)
{
	(void)args;
	return test_run();
}

/* --- by an iterator over its elements, which may write them --- */

#define ITERATED_MAX 256	/* bytes of a value that are zeroed */

static __u32 iterated_from, iterated_to = ITERATED_MAX;

static int load_iterator(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	struct bpf_insn insns[2 * ITERATED_MAX / 8 + 8];
	size_t n = 0;
	int id = libbpf_find_vmlinux_btf_id("bpf_map_elem", BPF_TRACE_ITER);

	if (id <= 0)
		return failed("BTF");
	opts.attach_btf_id = (__u32)id;
	/* struct bpf_iter__bpf_map_elem: meta, map, key, value */
	insns[n++] = LOAD(BPF_REG_6, BPF_REG_1, 24);
	insns[n++] = MOV_IMM(BPF_REG_0, 0);
	insns[n++] = JUMP_NE(BPF_REG_6, 0, 1);
	insns[n++] = EXIT();
	insns[n++] = ADD_IMM(BPF_REG_6, (int)iterated_from);
	for (__u32 at = iterated_from; at + 8 <= info.value_size && at < iterated_to; at += 8)
		insns[n++] = STORE_IMM(BPF_REG_6, (short)(at - iterated_from), 0);
	insns[n++] = EXIT();
	other_fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "user", "GPL", insns, n, &opts);
	return other_fd < 0 ? failed("load") : 0;
}

static int iterator_fd = -1;

static int open_iterator(void)
{
	union bpf_iter_link_info link_info = { .map.map_fd = (__u32)map_fd };
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &link_info,
		    .iter_info_len = sizeof(link_info));
	int link = bpf_link_create(other_fd, 0, BPF_TRACE_ITER, &opts);

	if (link < 0)
		return failed("link");
	iterator_fd = bpf_iter_create(link);
	close(link);
	return iterator_fd < 0 ? failed("iterator") : 0;
}

static int run_iterator(char **args)
{
	char byte;

	(void)args;
	if (load_iterator() || open_iterator())
		return -errno;
	return read(iterator_fd, &byte, 1) < 0 ? failed("read") : 0;
}

static int prepare_iterator_open(char **args)
{
	return open_map(args) ?: load_iterator() ?: open_iterator();
}

/* PIN FROM TO: of these bytes only. */
static int prepare_iterator_at(char **args)
{
	iterated_from = (__u32)atoi(args[1]);
	iterated_to = (__u32)atoi(args[2]);
	args[1] = NULL;
	return prepare_iterator_open(args);
}

/* PIN FROM VALUE: this word in the value of each element. */
static int run_poke(char **args)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	__u64 word = strtoull(args[2], NULL, 0);
	int from = atoi(args[1]);
	const struct bpf_insn insns[] = {
		LOAD(BPF_REG_6, BPF_REG_1, 24),
		MOV_IMM(BPF_REG_0, 0),
		JUMP_NE(BPF_REG_6, 0, 1),
		EXIT(),
		ADD_IMM(BPF_REG_6, from),
		WORD(BPF_REG_7, word),
		STORE_REG(BPF_REG_6, 0, BPF_REG_7),
		EXIT(),
	};
	int id = libbpf_find_vmlinux_btf_id("bpf_map_elem", BPF_TRACE_ITER);
	char bytes[4096];
	ssize_t n;

	args[1] = NULL;
	if (open_map(args))
		return -errno;
	opts.attach_btf_id = (__u32)id;
	other_fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "user", "GPL", insns, ARRAY_SIZE(insns),
				 &opts);
	if (other_fd < 0)
		return failed("load");
	if (open_iterator())
		return -errno;
	do
		n = read(iterator_fd, bytes, sizeof(bytes));
	while (n > 0);
	return n ? failed("read") : 0;
}

/* PIN of psc_state: how many entries and floors there are, and at which levels of cgroups. */
static int run_counts(char **args)
{
	static const __u32 ranges[][2] = {
		{ offsetof(struct state, entries), offsetof(struct state, entries) + 8 },
		{ offsetof(struct state, at_level),
		  offsetof(struct state, next_level) + PSC_CGROUP_LEVELS },
	};
	int err = open_map(args);

	for (size_t i = 0; !err && i < ARRAY_SIZE(ranges); i++) {
		iterated_from = ranges[i][0];
		iterated_to = ranges[i][1];
		err = run_iterator(args);
	}
	return err;
}

static int run_iterator_open(char **args)
{
	char byte;

	(void)args;
	return read(iterator_fd, &byte, 1) < 0 ? failed("read") : 0;
}

/* --- by a program that has found it and sleeps, with nothing left that refers to it --- */

static pthread_t sleeper;

/* The context is where to copy from: memory that nothing is in yet. */
static void *sleep_in_copy(void *data)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &data, .ctx_size_in = sizeof(data));

	bpf_prog_test_run_opts(other_fd, &opts);
	return NULL;
}

static int load_sleeper(void)
{
	const struct bpf_insn insns[] = {
		LOAD(BPF_REG_6, BPF_REG_1, 0),
		STORE_IMM(BPF_REG_10, -8, 0),
		MAP_FD(BPF_REG_1, outer_fd),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_EQ(BPF_REG_0, 0, 9),
		MOV_REG(BPF_REG_1, BPF_REG_0),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -8),
		CALL(BPF_FUNC_map_lookup_elem),
		JUMP_EQ(BPF_REG_0, 0, 4),
		MOV_REG(BPF_REG_1, BPF_REG_0),
		MOV_IMM(BPF_REG_2, 8),
		MOV_REG(BPF_REG_3, BPF_REG_6),
		CALL(BPF_FUNC_copy_from_user),
		MOV_IMM(BPF_REG_0, 0),
		EXIT(),
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);

	other_fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "user", "GPL", insns, ARRAY_SIZE(insns),
				 &opts);
	return other_fd < 0 ? failed("load") : 0;
}

static int prepare_asleep(char **args)
{
	void *memory = NULL;
	__u32 zero = 0;
	int err = prepare_outer_filled(args) ?: load_sleeper() ?: fault_prepare(&memory);

	if (err)
		return err;
	if (pthread_create(&sleeper, NULL, sleep_in_copy, memory))
		return failed("thread");
	err = fault_wait();
	if (!err && bpf_map_delete_elem(outer_fd, &zero))
		err = failed("delete");
	close(map_fd);
	return err;
}

static int run_asleep(char **args)
{
	int err = fault_end();

	(void)args;
	if (!err)
		pthread_join(sleeper, NULL);
	return err;
}

const struct attack attacks_on_maps[] = {
	{ "map-open", NULL, run_open },
	{ "map-update", open_map, run_update },
	{ "map-delete", open_map, run_delete },
	{ "map-take", open_map, run_take },
	{ "map-batch", open_map, run_batch },
	{ "map-batch-delete", open_map, run_batch_delete },
	{ "map-batch-take", open_map, run_batch_take },
	{ "map-mmap", open_map, run_mmap },
	{ "map-ring", open_map, run_ring },
	{ "map-ring-forge", open_map, run_ring_forge },
	{ "map-outer", open_map, run_outer },
	{ "map-outer-filled", prepare_outer_filled, run_outer_filled },
	{ "map-outer-loaded", prepare_outer_loaded, run_outer_loaded },
	{ "map-iterator", open_map, run_iterator },
	{ "map-iterator-open", prepare_iterator_open, run_iterator_open },
	{ "map-iterator-at", prepare_iterator_at, run_iterator_open },
	{ "map-counts", NULL, run_counts },
	{ "map-poke", NULL, run_poke },
	{ "map-asleep", prepare_asleep, run_asleep },
	{}
};

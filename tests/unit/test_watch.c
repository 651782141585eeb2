/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals as they happen: whose are told to whom, slow readers, and "ptracescopectl watch". */
#include "command_run.h"

#include "watch.h"

#define WATCH(parameters) "{\"method\":\"io.ptracescope.Watch\",\"more\":true,\"parameters\":{" \
			  parameters "}}"
#define MORE(parameters) "{\"parameters\":{" parameters "},\"continues\":true}"
#define NOTHING_YET MORE("\"refusals\":[]")

static struct psc_event refused(unsigned int mode, __u32 tracer, __u32 tracee)
{
	return (struct psc_event){
		.size = sizeof(struct psc_event), .mode = (__u8)mode, .scope = 1,
		.reason = PSC_REASON_UNRELATED,
		.tracer = { .pid = 7, .tid = 8, .uid = tracer, .start_ns = 5, .comm = "g\"\033db" },
		.tracee = { .pid = 9, .tid = 9, .uid = tracee, .start_ns = 6, .comm = "sleep" },
	};
}

static void tell(struct service *s, unsigned int mode, __u32 tracer, __u32 tracee)
{
	struct psc_event event = refused(mode, tracer, tracee);

	if (psc_watchers_tell(&s->fake.watchers, &event))
		psc_control_wake(s->control);
}

/* The next reply, without the time in its refusals; a new reference, NULL for none. */
static json_t *next(struct service *s, int fd)
{
	static char buffer[64 * 1024];
	json_t *reply, *refusal;
	size_t i;

	spin(s);
	if (get(fd, buffer, sizeof(buffer)) != GOT_REPLY)
		return NULL;
	reply = json_loads(buffer, 0, NULL);
	json_array_foreach(json_object_get(json_object_get(reply, "parameters"), "refusals"), i,
			   refusal)
		assert_int_equal(json_object_del(refusal, "time_us"), 0);
	return reply;
}

static size_t count_of(const json_t *reply)
{
	const json_t *parameters = json_object_get(reply, "parameters");

	return json_array_size(json_object_get(parameters, "refusals"));
}

static json_int_t number_of(const json_t *reply, const char *key)
{
	return json_integer_value(json_object_get(json_object_get(reply, "parameters"), key));
}

static void assert_next(struct service *s, int fd, size_t refusals, int lost, int suppressed)
{
	json_t *reply = next(s, fd);

	assert_non_null(reply);
	assert_true(json_is_true(json_object_get(reply, "continues")));
	assert_int_equal(count_of(reply), refusals);
	assert_int_equal(number_of(reply, "lost"), lost);
	assert_int_equal(number_of(reply, "suppressed"), suppressed);
	json_decref(reply);
}

static int watch(struct service *s, const char *call)
{
	int fd = open_client(s);

	put_message(fd, call);
	assert_next(s, fd, 0, 0, 0);
	return fd;
}

static void test_method(void **state)
{
	struct service s;
	int fd;
	json_t *reply, *wanted;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	put_message(fd, WATCH(""));
	spin(&s);
	expect_json(fd, NOTHING_YET);
	expect(fd, GOT_NOTHING);
	tell(&s, PSC_MODE_ATTACH, 1000, 1001);
	reply = next(&s, fd);
	wanted = json_loads(MORE("\"refusals\":[{\"mode\":\"attach\",\"scope\":1,"
		"\"reason\":\"unrelated\",\"text\":\"the tracer is no ancestor, was not declared "
		"with PR_SET_PTRACER, and lacks CAP_SYS_PTRACE\","
		"\"tracer\":{\"pid\":7,\"tid\":8,\"uid\":1000,\"command\":\"g\\\"\\u001bdb\","
		"\"started_ns\":5,\"cgroup_id\":0},"
		"\"tracee\":{\"pid\":9,\"tid\":9,\"uid\":1001,\"command\":\"sleep\","
		"\"started_ns\":6,\"cgroup_id\":0}}]"), 0, NULL);
	assert_true(json_equal(reply, wanted));
	json_decref(reply);
	json_decref(wanted);

	/* Several at once are one reply, up to a number. */
	for (int i = 0; i < 20; i++)
		tell(&s, PSC_MODE_READ, 0, 1);
	assert_next(&s, fd, 16, 0, 0);
	assert_next(&s, fd, 4, 0, 0);
	expect(fd, GOT_NOTHING);
	/* Tampering has no tracee. */
	tell(&s, PSC_EVENT_TAMPER, 0, 0);
	spin(&s);
	expect(fd, GOT_NOTHING);
	if (psc_watchers_tell_suppressed(&s.fake.watchers, 5))
		psc_control_wake(s.control);
	assert_next(&s, fd, 0, 0, 5);
	assert_false(psc_watchers_tell_suppressed(&s.fake.watchers, 0));

	close(fd);
	spin(&s);
	assert_null(s.fake.watchers.first);
	tell(&s, PSC_MODE_READ, 0, 1);
	service_stop(&s);
}

static void test_parameters(void **state)
{
	static const struct { const char *call, *reply; } cases[] = {
		{ OURS("Watch", ""), STD_ERROR("ExpectedMore", "") },
		{ WATCH("\"mode\":\"boundary\""), INVALID("mode") },
		{ WATCH("\"mode\":\"\""), INVALID("mode") },
		{ WATCH("\"pid\":0"), INVALID("pid") },
		{ WATCH("\"pid\":2147483648"), INVALID("pid") },
		{ WATCH("\"uid\":-1"), INVALID("uid") },
		{ WATCH("\"uid\":4294967295"), INVALID("uid") },
		{ WATCH("\"uid\":\"alice\""), INVALID("uid") },
		{ WATCH("\"other\":1"), INVALID("other") },
		{ WATCH("\"cgroup\":\"x\""), OUR_ERROR("CgroupError", "\"cgroup\":\"x\",\"reason\":"
		  "\"no-cgroup2\",\"message\":\"no cgroup2 hierarchy is mounted on "
		  "/sys/fs/cgroup or /sys/fs/cgroup/unified\"") },
	};
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_message(fd, cases[i].call);
		spin(&s);
		expect_json(fd, cases[i].reply);
		assert_null(s.fake.watchers.first);
	}
	close(fd);
	service_stop(&s);
}

/* Who is told of what: by his uid, and by what he asks for. */
static void test_filters(void **state)
{
	static const struct {
		const char *parameters;
		__u32 capable;
		unsigned int wanted;	/* a bit for each of the events below */
	} cases[] = {
		{ "", 1, 0x7f },
		{ "", 0, 0x0d },
		{ "\"mode\":\"traceme\"", 1, 0x10 },
		{ "\"mode\":\"read\"", 0, 0x08 },
		{ "\"uid\":5", 1, 0x12 },
		{ "\"uid\":5", 0, 0 },
		{ "\"uid\":0,\"mode\":\"attach\"", 1, 0x20 },
		{ "\"pid\":7", 1, 0x7f },
		{ "\"pid\":9", 1, 0x7f },
		{ "\"pid\":8", 1, 0 },
	};
	const uid_t own = getuid() ? getuid() : 77;
	const struct psc_event events[] = {
		refused(PSC_MODE_ATTACH, own, own), refused(PSC_MODE_ATTACH, 5, 6),
		refused(PSC_MODE_ATTACH, own, 6), refused(PSC_MODE_READ, 6, own),
		refused(PSC_MODE_TRACEME, 6, 5), refused(PSC_MODE_ATTACH, 0, 6),
		refused(PSC_MODE_READ, 8, 8),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct psc_watchers watchers = {};
		struct psc_watch_filter filter = {
			.all = cases[i].capable, .own = own, .mode = -1,
		};
		unsigned int got = 0;
		struct psc_watch *w;

		if (strstr(cases[i].parameters, "uid")) {
			filter.by_uid = true;
			filter.uid = (uid_t)atoi(strstr(cases[i].parameters, "uid") + 5);
		}
		if (strstr(cases[i].parameters, "pid"))
			filter.pid = (__u32)atoi(strstr(cases[i].parameters, "pid") + 5);
		for (int mode = 0; mode < PSC_MODES; mode++)
			if (strstr(cases[i].parameters, psc_mode_word((unsigned int)mode)))
				filter.mode = mode;
		w = psc_watch_new(&watchers, &filter);
		for (size_t j = 0; j < ARRAY_SIZE(events); j++) {
			struct psc_refusal refusal;

			psc_watchers_tell(&watchers, &events[j]);
			if (psc_watch_take(w, &refusal) != PSC_WATCH_TAKEN)
				continue;
			assert_memory_equal(&refusal.event, &events[j], sizeof(events[j]));
			got |= 1U << j;
		}
		if (got != cases[i].wanted)
			fail_msg("case %zu: %#x, not %#x", i, got, cases[i].wanted);
		psc_watch_free(w);
		assert_null(watchers.first);
	}
}

/* The parameters reach the filter, and so does who asks. */
static void test_whose(void **state)
{
	struct service s;
	int mine, root, reads;

	(void)state;
	service_start(&s, &limits);
	root = watch(&s, WATCH(""));
	s.fake.capable = 0;
	mine = watch(&s, WATCH(""));
	reads = watch(&s, WATCH("\"mode\":\"read\",\"pid\":7,\"uid\":3"));
	tell(&s, PSC_MODE_ATTACH, getuid() + 1, getuid() + 2);
	assert_next(&s, root, 1, 0, 0);
	expect(mine, GOT_NOTHING);
	tell(&s, PSC_MODE_ATTACH, getuid() + 1, getuid());
	assert_next(&s, root, 1, 0, 0);
	assert_next(&s, mine, 1, 0, 0);
	tell(&s, PSC_MODE_READ, getuid(), getuid());
	tell(&s, PSC_MODE_READ, getuid(), 3);
	assert_next(&s, reads, 1, 0, 0);
	expect(reads, GOT_NOTHING);
	close(mine);
	close(root);
	close(reads);
	spin(&s);
	assert_null(s.fake.watchers.first);
	service_stop(&s);
}

/* Who does not read loses what there is no room for, is told how much, and keeps nobody waiting. */
static void test_slow(void **state)
{
	struct psc_server_limits with = limits;
	unsigned int told = 0, got = 0, lost = 0;
	struct service s;
	json_t *reply;
	int slow, fast;

	(void)state;
	with.stall_usec = 1;
	service_start(&s, &with);
	slow = watch(&s, WATCH(""));
	fast = watch(&s, WATCH(""));
	for (int i = 0; i < 10000; i++) {
		tell(&s, PSC_MODE_ATTACH, 1000, 1000);
		told++;
		if (i % 10 == 0) {
			reply = next(&s, fast);
			assert_int_equal(number_of(reply, "lost"), 0);
			json_decref(reply);
		}
	}
	/* Long past that time, it is still there. */
	usleep(1000);
	spin(&s);
	while ((reply = next(&s, slow))) {
		got += (unsigned int)count_of(reply);
		lost += (unsigned int)number_of(reply, "lost");
		json_decref(reply);
	}
	assert_true(lost > 0);
	assert_true(got >= PSC_WATCH_QUEUE);
	assert_int_equal(got + lost, told);
	tell(&s, PSC_MODE_ATTACH, 1000, 1000);
	assert_next(&s, slow, 1, 0, 0);
	close(slow);
	close(fast);
	spin(&s);
	service_stop(&s);
}

/* Who watches is not idle: others of the same user make way first. But nobody keeps all places. */
static void test_places(void **state)
{
	const struct psc_server_limits with = {
		.message_max = MESSAGE_MAX, .connections_max = 5, .connections_kept = 1,
		.per_account_max = 4, .stall_usec = 3600ULL * 1000 * 1000,
	};
	int watchers[2], idle[2], other[2], last;
	struct service s;

	(void)state;
	service_start(&s, &with);
	s.fake.capable = 0;
	s.fake.account = 1;
	for (int i = 0; i < 2; i++)
		watchers[i] = watch(&s, WATCH(""));
	for (int i = 0; i < 2; i++)
		idle[i] = open_client(&s);
	spin(&s);
	s.fake.account = 2;
	other[0] = open_client(&s);
	spin(&s);
	expect(idle[0], GOT_END);
	other[1] = open_client(&s);
	spin(&s);
	expect(idle[1], GOT_END);
	for (int i = 0; i < 2; i++)
		expect(watchers[i], GOT_NOTHING);
	/* Each has two now: of whom none is idle, the one that was answered longest ago. */
	s.fake.account = 3;
	put_message(other[0], WATCH(""));
	put_message(other[1], WATCH(""));
	spin(&s);
	last = open_client(&s);
	spin(&s);
	expect(watchers[0], GOT_END);
	expect(watchers[1], GOT_NOTHING);
	close(last);
	for (int i = 0; i < 2; i++) {
		close(watchers[i]);
		close(idle[i]);
		close(other[i]);
	}
	spin(&s);
	service_stop(&s);
}

/* In a cgroup or below it, one side or the other. */
static void test_cgroup(void **state)
{
	struct psc_watchers watchers = {};
	struct psc_cgroups cgroups = { .root_fd = -1 };
	struct psc_watch_filter filter = { .all = true, .mode = -1, .cgroup = strdup("a") };
	struct psc_event event = refused(PSC_MODE_ATTACH, 0, 0);
	__u64 lost, suppressed;
	struct psc_watch *w;

	(void)state;
	/* No path is known here, and so none is in "a". */
	watchers.cgroups = &cgroups;
	w = psc_watch_new(&watchers, &filter);
	assert_null(filter.cgroup);
	assert_false(psc_watchers_tell(&watchers, &event));
	assert_false(psc_watch_is_due(w));
	psc_watch_take_counts(w, &lost, &suppressed);
	assert_int_equal(lost, 0);
	psc_watch_free(w);
}

/* Start "watch", tell of what happened, and end the daemon. */
static void run_watch(const char *const *arguments, bool two, struct result *ret)
{
	const char *all[ARGUMENTS_MAX + 2] = { "--socket", socket_path };
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), pipe_fd;
	struct service s;
	pid_t pid;

	service_there(&s);
	for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i]; i++)
		all[i + 2] = arguments[i];
	pid = run_child(all, null, out, err, &pipe_fd);
	while (!s.fake.watchers.first)
		assert_return_code(sd_event_run(s.event, UINT64_MAX), 0);
	tell(&s, PSC_MODE_ATTACH, 1000, 1001);
	if (two)
		tell(&s, PSC_MODE_READ, 1000, 1001);
	if (psc_watchers_tell_suppressed(&s.fake.watchers, 3))
		psc_control_wake(s.control);
	spin(&s);
	service_stop(&s);
	ret->code = exit_code(pid);
	read_back(out, ret->out);
	read_back(err, ret->err);
	close(pipe_fd);
	close(null);
}

#define REASON "the tracer is no ancestor, was not declared with PR_SET_PTRACER, and lacks " \
	       "CAP_SYS_PTRACE\n"

static void test_command(void **state)
{
	static const char *const plain[ARGUMENTS_MAX] = { "watch" };
	static const char *const json[ARGUMENTS_MAX] = { "watch", "--json", "--mode", "read", "--uid",
							 "1000" };
	struct result result;
	char *line;

	(void)state;
	run_watch(plain, true, &result);
	assert_int_equal(result.code, PSC_EXIT_UNREACHABLE);
	line = strchr(result.out, 'r');
	assert_non_null(line);
	assert_int_equal(line - result.out, strlen("2026-11-26 04:05:06 "));
	assert_int_equal(strncmp(line, "refused attach of \"sleep\"[9] by \"g\\\"\\x1bdb\"[7] (uid "
				 "1000, scope 1 restricted): " REASON, 130), 0);
	assert_non_null(strstr(line, "refused read of \"sleep\"[9]"));
	assert_non_null(strstr(line, "\nrefusals of all users that were not reported one by one: 3\n"));
	assert_non_null(strstr(result.err, "the daemon has hung up"));

	run_watch(json, true, &result);
	assert_int_equal(result.code, PSC_EXIT_UNREACHABLE);
	line = strchr(result.out, '\n');
	assert_non_null(line);
	*line = '\0';
	assert_non_null(strstr(result.out, "\"mode\": \"read\""));
	assert_int_equal(strncmp(line + 1, "{\"suppressed\": 3}\n{\"error\": \"unreachable\"", 40),
			 0);
}

static void test_usage(void **state)
{
	static const struct { const char *arguments[ARGUMENTS_MAX], *error; } cases[] = {
		{ { "watch", "x" }, "unexpected argument 'x'; usage: watch" },
		{ { "watch", "--mode", "x" }, "unknown mode 'x'" },
		{ { "watch", "--uid", "no-such\n" }, "no such user: 'no-such\\x0a'" },
		{ { "watch", "--uid", "4294967295" }, "no such user: '4294967295'" },
		{ { "watch", "--uid" }, "missing USER after '--uid'" },
		{ { "watch", "--pid", "0" }, "no process id: '0'" },
		{ { "watch", "--last" }, "--last does not go with 'watch'; it is for: explain" },
		{ { "list", "--uid", "1" }, "--uid does not go with 'list'; it is for: watch" },
		{ { "cgroup", "list", "--cgroup", "x" }, "--cgroup does not go with 'list'" },
	};
	static const char *const root[ARGUMENTS_MAX] = { "watch", "--uid", "root", "--cgroup=a/b",
							 "--pid", "5", "--mode=traceme" };
	char *error = NULL;
	struct psc_cli cli;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_usage_error(cases[i].arguments, cases[i].error);
	assert_int_equal(parse(root, &cli, &error), 0);
	assert_true(cli.by_uid);
	assert_int_equal(cli.uid, 0);
	assert_string_equal(cli.cgroup, "a/b");
	assert_int_equal(cli.pid, 5);
	assert_string_equal(cli.mode, "traceme");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_method),
		TEST(test_parameters),
		TEST(test_filters),
		TEST(test_whose),
		TEST(test_slow),
		TEST(test_places),
		TEST(test_cgroup),
		TEST(test_command),
		TEST(test_usage),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The methods of the socket: every one, and every error. */
#include "socket_client.h"

#include "interface.h"

#define FLOOR "\"kernel.ptracescope.floor\""

struct exchange {
	const char *call;
	const char *reply;	/* NULL: none */
};

/* In order, on one connection by a capable client, beginning with everything at 0. */
static const struct exchange exchanges[] = {
	{ GET_YAMA, REPLY("\"value\":0") },
	{ SET(YAMA, "1"), REPLY("\"value\":1") },
	{ GET_YAMA, REPLY("\"value\":1") },
	{ SET("\"kernel.ptracescope.read_scope\"", "2"), REPLY("\"value\":2") },
	/* revocable: up and down again; what is no true changes nothing */
	{ SET(YAMA, "3,\"revocable\":true"), REPLY("\"value\":3") },
	{ OURS("Get", "\"name\":" FLOOR), REPLY("\"value\":0") },
	{ SET(YAMA, "1,\"revocable\":false"), REPLY("\"value\":1") },
	{ SET(YAMA, "1,\"revocable\":null"), REPLY("\"value\":1") },
	{ SET(YAMA, "2,\"revocable\":true"), INVALID("revocable") },
	{ SET(FLOOR, "3,\"revocable\":true"), INVALID("revocable") },
	{ SET(FLOOR, "0,\"revocable\":true"), INVALID("revocable") },
	{ SET(YAMA, "4,\"revocable\":true"), RANGE("4") },
	{ SET(YAMA, "3,\"revocable\":1"), INVALID("revocable") },
	{ SET(YAMA, "3,\"revocable\":\"true\""), INVALID("revocable") },
	{ SET(YAMA, "3,\"revocabl\":true"), INVALID("revocabl") },
	{ OURS("Get", "\"name\":" YAMA ",\"revocable\":true"), INVALID("revocable") },
	{ GET_YAMA, REPLY("\"value\":1") },
	{ SET("\"kernel.ptracescope.traceme_scope\"", "3,\"revocable\":false"),
	  REPLY("\"value\":3") },
	/* One of the modes that it covers is locked. */
	{ SET(YAMA, "2"), OUR_ERROR("Locked", "\"name\":" YAMA ",\"floor\":3") },
	{ SET("\"kernel.ptracescope.floor\"", "3"), REPLY("\"value\":3") },
	{ SET(YAMA, "3,\"revocable\":true"), REPLY("\"value\":3") },
	{ SET("\"kernel.ptracescope.floor\"", "1"),
	  OUR_ERROR("Locked", "\"name\":\"kernel.ptracescope.floor\",\"floor\":3") },
	{ OURS("Status", ""),
	  REPLY("\"enforcing\":true,\"policy\":{\"attach\":{\"scope\":3,\"floor\":3},"
	        "\"traceme\":{\"scope\":3,\"floor\":3},\"read\":{\"scope\":2,\"floor\":0},"
	        "\"boundary\":{\"scope\":0,\"floor\":0}}") },
	{ OURS("Detach", ""), REPLY("") },
	{ OURS("Reload", ""), REPLY("") },
	/* parameters may be left out or null where none are needed */
	{ "{\"method\":\"io.ptracescope.Reload\"}", REPLY("") },
	{ "{\"method\":\"io.ptracescope.Reload\",\"parameters\":null}", REPLY("") },
	{ "{\"method\":\"io.ptracescope.Reload\",\"more\":true}", REPLY("") },
	{ "{\"method\":\"io.ptracescope.Reload\",\"more\":false,\"oneway\":false,"
	  "\"upgrade\":false}", REPLY("") },

	/* values */
	{ SET(YAMA, "4"), RANGE("4") },
	{ SET(YAMA, "-1"), RANGE("-1") },
	{ SET(YAMA, "4294967296"), RANGE("4294967296") },
	{ SET(YAMA, "9223372036854775807"), RANGE("9223372036854775807") },
	{ SET(YAMA, "-9223372036854775808"), RANGE("-9223372036854775808") },
	{ SET(YAMA, "3.0"), INVALID("value") },
	{ SET(YAMA, "3e0"), INVALID("value") },
	{ SET(YAMA, "\"3\""), INVALID("value") },
	{ SET(YAMA, "true"), INVALID("value") },
	{ SET(YAMA, "null"), INVALID("value") },
	{ SET(YAMA, "[3]"), INVALID("value") },

	/* names and parameters */
	{ OURS("Get", ""), INVALID("name") },
	{ OURS("Get", "\"name\":3"), INVALID("name") },
	{ OURS("Get", "\"name\":null"), INVALID("name") },
	{ OURS("Get", "\"name\":" YAMA ",\"value\":1"), INVALID("value") },
	{ OURS("Get", "\"nam\":" YAMA), INVALID("nam") },
	{ OURS("List", "\"x\":1"), INVALID("x") },
	{ OURS("Lock", "\"names\":{}"), INVALID("names") },
	{ OURS("Lock", "\"names\":[]"), INVALID("names") },
	{ OURS("Lock", "\"names\":[1]"), INVALID("names") },
	{ OURS("Lock", "\"names\":[\"read_scope\"]"), INVALID("names") },
	{ OURS("Lock", "\"names\":[\"kernel.ptracescope.floor\"]"), INVALID("names") },
	{ OURS("Lock", "\"level\":1,\"names\":[" YAMA "]"), INVALID("names") },
	{ OURS("Lock", "\"names\":[" YAMA "," YAMA "," YAMA "," YAMA "," YAMA "," YAMA "," YAMA "]"),
	  INVALID("names") },
	{ OURS("Set", "\"name\":" YAMA), INVALID("value") },
	{ OURS("Set", "\"value\":3"), INVALID("name") },
	{ OURS("Get", "\"name\":\"\""), OUR_ERROR("UnknownName", "\"name\":\"\"") },
	{ OURS("Get", "\"name\":\"kernel.yama.ptrace_scop\""),
	  OUR_ERROR("UnknownName", "\"name\":\"kernel.yama.ptrace_scop\"") },
	{ OURS("Get", "\"name\":\"kernel.yama.ptrace_scope2\""),
	  OUR_ERROR("UnknownName", "\"name\":\"kernel.yama.ptrace_scope2\"") },
	{ SET("\"r\xc3\xa9\"", "1"), OUR_ERROR("UnknownName", "\"name\":\"r\xc3\xa9\"") },

	/* the envelope */
	{ "{}", INVALID("method") },
	{ "{\"method\":3}", INVALID("method") },
	{ "{\"method\":null}", INVALID("method") },
	{ "{\"method\":\"io.ptracescope.List\",\"parameters\":[]}", INVALID("parameters") },
	{ "{\"method\":\"io.ptracescope.List\",\"parameters\":\"\"}", INVALID("parameters") },
	{ "{\"method\":\"io.ptracescope.List\",\"more\":1}", INVALID("more") },
	{ "{\"method\":\"io.ptracescope.List\",\"oneway\":null}", INVALID("oneway") },
	{ "{\"method\":\"io.ptracescope.List\",\"extra\":1}", INVALID("extra") },
	{ "{\"method\":\"io.ptracescope.List\",\"upgrade\":true}", INVALID("upgrade") },
	{ "{\"method\":\"\"}", STD_ERROR("MethodNotFound", "\"method\":\"\"") },
	{ "{\"method\":\"List\"}", STD_ERROR("MethodNotFound", "\"method\":\"List\"") },
	{ "{\"method\":\"io.ptracescope.\"}",
	  STD_ERROR("MethodNotFound", "\"method\":\"io.ptracescope.\"") },
	{ "{\"method\":\"io.ptracescope.list\"}",
	  STD_ERROR("MethodNotFound", "\"method\":\"io.ptracescope.list\"") },
	{ "{\"method\":\".List\"}", STD_ERROR("InterfaceNotFound", "\"interface\":\"\"") },
	{ "{\"method\":\"io.ptracescop.List\"}",
	  STD_ERROR("InterfaceNotFound", "\"interface\":\"io.ptracescop\"") },
	{ "{\"method\":\"io.ptracescope2.List\"}",
	  STD_ERROR("InterfaceNotFound", "\"interface\":\"io.ptracescope2\"") },

	/* more than one reply is only for those who ask for it */
	{ OURS("Watch", ""), STD_ERROR("ExpectedMore", "") },
	{ "{\"method\":\"io.ptracescope.List\",\"more\":true,\"parameters\":{\"x\":1}}",
	  INVALID("x") },

	/* oneway: no reply, whatever comes of it */
	{ "{\"method\":\"io.ptracescope.Reload\",\"oneway\":true}", NULL },
	{ "{\"method\":\"io.ptracescope.Nothing\",\"oneway\":true}", NULL },
	{ "{\"extra\":1,\"method\":\"io.ptracescope.List\",\"oneway\":true}", NULL },
	/* a contradiction, so it does not even run: see the count below */
	{ "{\"oneway\":true,\"method\":\"io.ptracescope.Reload\",\"more\":true}", NULL },

	/* introspection */
	{ CALL("org.varlink.service.GetInfo", ""),
	  REPLY("\"vendor\":\"ptracescope\",\"product\":\"ptracescoped\",\"version\":\""
		PSC_VERSION "\",\"url\":\"\",\"interfaces\":[\"org.varlink.service\","
		"\"io.ptracescope\"]") },
	{ CALL("org.varlink.service.GetInterfaceDescription", "\"interface\":\"io.ptracescop\""),
	  STD_ERROR("InterfaceNotFound", "\"interface\":\"io.ptracescop\"") },
	{ CALL("org.varlink.service.GetInterfaceDescription", ""), INVALID("interface") },
	{ CALL("org.varlink.service.GetInterfaces", ""),
	  STD_ERROR("MethodNotFound", "\"method\":\"org.varlink.service.GetInterfaces\"") },
};

static void test_exchanges(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	for (size_t i = 0; i < ARRAY_SIZE(exchanges); i++) {
		put_message(fd, exchanges[i].call);
		spin(&s);
		if (exchanges[i].reply)
			expect_json(fd, exchanges[i].reply);
		expect(fd, GOT_NOTHING);
	}
	assert_int_equal(s.fake.detached, 1);
	assert_int_equal(s.fake.reloaded, 6);
	close(fd);
	service_stop(&s);
}

static void test_description(void **state)
{
	static const struct { const char *name, *text; } interfaces[] = {
		{ "io.ptracescope", psc_interface_io_ptracescope },
		{ "org.varlink.service", psc_interface_org_varlink_service },
	};
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		json_t *call = json_pack("{s:s, s:{s:s}}", "method",
					 "org.varlink.service.GetInterfaceDescription",
					 "parameters", "interface", interfaces[i].name);
		json_t *reply = json_pack("{s:{s:s}}", "parameters",
					  "description", interfaces[i].text);
		char *call_text = json_dumps(call, 0), *reply_text = json_dumps(reply, 0);

		put_message(fd, call_text);
		spin(&s);
		expect_json(fd, reply_text);
		json_decref(call);
		json_decref(reply);
		free(call_text);
		free(reply_text);
	}
	close(fd);
	service_stop(&s);
}

/* Every method in the description exists, and every error that a client may get is in it. */
static void test_description_is_true(void **state)
{
	static const char *const errors[] = { "UnknownName", "OutOfRange", "PermissionDenied",
					      "Locked", "CgroupLocked", "CgroupError",
					      "NothingToLock",
					      "ConfigurationError", "PartlyApplied", "Failed" };
	const char *line = psc_interface_io_ptracescope;
	unsigned int n = 0;
	struct service s;
	char method[64], call[128], text[16384];
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	for (; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		if (sscanf(line, "method %63[A-Za-z]", method) != 1)
			continue;
		n++;
		snprintf(call, sizeof(call), "{\"method\":\"io.ptracescope.%s\"}", method);
		put_message(fd, call);
		spin(&s);
		assert_int_equal(get(fd, text, sizeof(text)), GOT_REPLY);
		assert_null(strstr(text, "MethodNotFound"));
	}
	assert_int_equal(n, 17);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		snprintf(text, sizeof(text), "\nerror %s (", errors[i]);
		assert_non_null(strstr(psc_interface_io_ptracescope, text));
	}
	close(fd);
	service_stop(&s);
}

/* The kernel's word counts, and its silence is a no. */
static void test_privilege(void **state)
{
	static const struct { __u32 capable; int peer_err; bool allowed; } peers[] = {
		{ 1, 0, true }, { 0, 0, false }, { 1, -ENOENT, false }, { 1, -EPERM, false },
	};
	struct service s;

	(void)state;
	service_start(&s, &limits);
	for (size_t i = 0; i < ARRAY_SIZE(peers); i++) {
		int fd;

		s.fake.capable = peers[i].capable;
		s.fake.peer_err = peers[i].peer_err;
		s.fake.policy = (union psc_policy){};
		s.fake.detached = s.fake.reloaded = 0;
		fd = open_client(&s);
		spin(&s);
		/* What it is later does not matter. */
		s.fake.capable = 1;
		s.fake.peer_err = 0;

		put_message(fd, SET(YAMA, "2"));
		put_message(fd, OURS("Detach", ""));
		put_message(fd, OURS("Reload", ""));
		put_message(fd, SET(YAMA, "true"));
		put_message(fd, GET_YAMA);
		spin(&s);
		expect_json(fd, peers[i].allowed ? REPLY("\"value\":2") : DENIED);
		expect_json(fd, peers[i].allowed ? REPLY("") : DENIED);
		expect_json(fd, peers[i].allowed ? REPLY("") : DENIED);
		expect_json(fd, peers[i].allowed ? INVALID("value") : DENIED);
		expect_json(fd, peers[i].allowed ? REPLY("\"value\":2") : REPLY("\"value\":0"));
		assert_int_equal(s.fake.detached, peers[i].allowed);
		assert_int_equal(s.fake.reloaded, peers[i].allowed);
		close(fd);
		spin(&s);
	}
	service_stop(&s);
}

/* A call that takes long: others are answered meanwhile, and those behind it wait. */
static void test_waiting(void **state)
{
	struct service s;
	int fd, other, gone;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	gone = open_client(&s);
	other = open_client(&s);
	s.fake.reload_waits = true;
	put_message(fd, OURS("Reload", ""));
	put_message(fd, GET_YAMA);
	put_message(gone, OURS("Reload", ""));
	spin(&s);		/* and the loop has nothing to do */
	expect(fd, GOT_NOTHING);
	assert_int_equal(s.fake.reloads, 2);
	put_message(other, SET(YAMA, "2"));
	spin(&s);
	expect_json(other, REPLY("\"value\":2"));
	close(gone);
	spin(&s);
	psc_control_wake(s.control);
	spin(&s);
	expect(fd, GOT_NOTHING);
	assert_int_equal(s.fake.reloads, 2);	/* the same is asked for again */
	s.fake.reload_waits = false;
	psc_control_wake(s.control);
	spin(&s);
	expect_json(fd, REPLY(""));
	expect_json(fd, REPLY("\"value\":2"));
	assert_int_equal(s.fake.reloaded, 1);
	put_message(fd, OURS("Reload", ""));
	spin(&s);
	expect_json(fd, REPLY(""));
	assert_int_equal(s.fake.reloads, 3);	/* this is another one */

	/* It may wait when the service ends. */
	s.fake.reload_waits = true;
	put_message(fd, OURS("Reload", ""));
	spin(&s);
	close(fd);
	close(other);
	service_stop(&s);
}

/* A change that is to be the first floor is answered later; others are served meanwhile. */
static void test_change_waits(void **state)
{
	struct service s;
	int fd, gone, other;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	gone = open_client(&s);
	other = open_client(&s);
	s.fake.change_waits = true;
	put_message(fd, SET(YAMA, "3"));
	put_message(fd, GET_YAMA);
	put_message(gone, OURS("Lock", "\"level\":2"));
	s.fake.detach_err = -EINPROGRESS;
	spin(&s);		/* and the loop has nothing to do */
	expect(fd, GOT_NOTHING);
	put_message(other, GET_YAMA);
	spin(&s);
	expect_json(other, REPLY("\"value\":0"));
	put_message(other, OURS("Detach", ""));
	close(gone);
	spin(&s);
	psc_control_wake(s.control);
	spin(&s);
	expect(fd, GOT_NOTHING);
	expect(other, GOT_NOTHING);
	s.fake.change_waits = false;
	s.fake.detach_err = 0;
	psc_control_wake(s.control);
	spin(&s);
	expect_json(fd, REPLY("\"value\":3"));
	expect_json(fd, REPLY("\"value\":3"));
	expect_json(other, REPLY(""));
	assert_int_equal(s.fake.detached, 1);
	assert_int_equal(s.fake.policy.floor[PSC_MODE_ATTACH], 3);

	/* It may wait when the service ends, or come to nothing. */
	s.fake.change_waits = true;
	put_message(other, OURS("Lock", ""));
	put_message(fd, OURS("Lock", "\"level\":3"));
	spin(&s);
	close(other);
	spin(&s);
	s.fake.change_waits = false;
	s.fake.request_err = -EBUSY;
	psc_control_wake(s.control);
	spin(&s);
	expect_json(fd, OUR_ERROR("Failed", "\"errno\":16,\"message\":\"" PSC_CONTROL_NO_FLOOR
				  ": Device or resource busy\""));
	s.fake.change_waits = true;
	put_message(fd, OURS("Lock", ""));
	spin(&s);
	close(fd);
	service_stop(&s);
}

static void test_backend_errors(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);

	s.fake.request_err = -EIO;
	put_message(fd, SET(YAMA, "2"));
	spin(&s);
	expect_json(fd, OUR_ERROR("Failed", "\"errno\":5,\"message\":"
				  "\"kernel.yama.ptrace_scope: Input/output error\""));
	s.fake.request_err = -PSC_E_RANGE;
	put_message(fd, SET(YAMA, "2"));
	spin(&s);
	expect_json(fd, RANGE("2"));
	/* The daemon's own lack of rights is not the client's. */
	s.fake.request_err = -PSC_E_PERM;
	put_message(fd, SET(YAMA, "2"));
	spin(&s);
	expect_json(fd, OUR_ERROR("Failed", "\"errno\":1,\"message\":"
				  "\"kernel.yama.ptrace_scope: Operation not permitted\""));

	s.fake.detach_err = -EACCES;
	s.fake.policy.scope[PSC_MODE_READ] = s.fake.policy.floor[PSC_MODE_READ] = 2;
	put_message(fd, OURS("Detach", ""));
	spin(&s);
	expect_json(fd, OUR_ERROR("Locked", "\"name\":\"kernel.ptracescope.read_scope\","
				  "\"floor\":2"));
	s.fake.detach_err = -EBUSY;
	put_message(fd, OURS("Detach", ""));
	spin(&s);
	expect_json(fd, OUR_ERROR("Failed", "\"errno\":16,\"message\":"
				  "\"detaching: Device or resource busy\""));

	s.fake.reload_err = -EINVAL;
	put_message(fd, OURS("Reload", ""));
	s.fake.reload_message = "/etc/\xff.conf:3: bad";	/* is no UTF-8 */
	spin(&s);
	expect_json(fd, OUR_ERROR("ConfigurationError",
				  "\"message\":\"/etc/\\\\xff.conf:3: bad\""));
	s.fake.reload_message = NULL;
	put_message(fd, OURS("Reload", ""));
	spin(&s);
	expect_json(fd, OUR_ERROR("ConfigurationError", "\"message\":\"Invalid argument\""));
	/* Nothing has changed, whatever the errno. */
	s.fake.reload_err = -EUCLEAN;
	put_message(fd, OURS("Reload", ""));
	spin(&s);
	expect_json(fd, OUR_ERROR("ConfigurationError", "\"message\":\"Structure needs cleaning\""));
	s.fake.reload_err = PSC_RELOAD_PARTLY;
	put_message(fd, OURS("Reload", ""));
	spin(&s);
	expect_json(fd, OUR_ERROR("PartlyApplied", "\"message\":\"see the daemon's log\""));
	close(fd);
	service_stop(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_exchanges),
		TEST(test_description),
		TEST(test_description_is_true),
		TEST(test_privilege),
		TEST(test_waiting),
		TEST(test_change_waits),
		TEST(test_backend_errors),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}

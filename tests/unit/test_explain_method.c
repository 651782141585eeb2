/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The method Explain, and "ptracescopectl explain". */
#include "command_run.h"

#include "explanations.h"

#define EXPLAIN(parameters) OURS("Explain", parameters)
#define UNKNOWN(mode, reason) REPLY("\"verdict\":\"unknown\",\"mode\":\"" mode \
				    "\",\"reason\":\"" reason "\"")
#define FOREIGN(who) OUR_ERROR("PermissionDenied", "\"message\":\"" who "\"")

#define DENIED_FOR(pid, arguments) LINE("the question is refused: process " pid " belongs to another " \
	"user, and users can ask only about their own processes; as root: sudo ptracescopectl explain " \
	arguments)

/* The reply's parameters; a new reference. */
static json_t *explained(struct service *s, int fd, const char *call)
{
	char buffer[16384];
	json_t *reply, *parameters;

	put_message(fd, call);
	spin(s);
	assert_int_equal(get(fd, buffer, sizeof(buffer)), GOT_REPLY);
	reply = json_loads(buffer, JSON_REJECT_DUPLICATES, NULL);
	parameters = json_incref(json_object_get(reply, "parameters"));
	json_decref(reply);
	assert_non_null(parameters);
	return parameters;
}

static void assert_reply(struct service *s, int fd, const char *call, const char *wanted)
{
	put_message(fd, call);
	spin(s);
	expect_json(fd, wanted);
}

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void test_method(void **state)
{
	struct service s;
	json_t *reply, *part;
	int fd;

	(void)state;
	service_start(&s, &limits);
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 1);
	s.fake.explanation.tracee.effective.scope_from[PSC_MODE_ATTACH] = 3;
	s.fake.explanation.tracee.cgroup = 3;
	fd = open_client(&s);
	reply = explained(&s, fd, EXPLAIN("\"tracee\":200"));
	assert_string_equal(text_at(reply, "verdict"), "refused");
	assert_string_equal(text_at(reply, "check"), "refused");
	assert_string_equal(text_at(reply, "decides"), "ptracescope");
	assert_string_equal(text_at(reply, "mode"), "attach");
	assert_int_equal(s.fake.explained.viewer, getpid());
	assert_int_equal(s.fake.explained.tracer, 0);
	assert_int_equal(s.fake.explained.tracee, 200);
	part = json_object_get(reply, "tracee");
	assert_string_equal(text_at(part, "command"), "sleep");
	assert_string_equal(text_at(part, "cgroup"), "/a/b\n");
	part = json_object_get(json_object_get(part, "policy"), "attach");
	assert_string_equal(text_at(part, "source"), "/a/b\n");
	part = json_object_get(reply, "ptracescope");
	assert_string_equal(text_at(part, "reason"), "unrelated");
	assert_string_equal(text_at(part, "declared"), "nobody");
	part = json_object_get(part, "facts");
	assert_int_equal(json_object_size(part), PSC_FACTS);
	assert_true(json_is_true(json_object_get(part, "alive")));
	assert_true(json_is_false(json_object_get(part, "ancestor")));
	assert_int_equal(json_array_size(json_object_get(reply, "steps")), 6);
	assert_int_equal(json_array_size(json_object_get(reply, "remedies")), 3);
	/* A tracer that is still to be started has no pid to be named. */
	part = json_array_get(json_object_get(reply, "remedies"), 1);
	assert_string_equal(text_at(part, "text"), "prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)");
	json_decref(reply);

	reply = explained(&s, fd, EXPLAIN("\"tracer\":100,\"tracee\":200,\"mode\":\"read\""));
	assert_string_equal(text_at(reply, "mode"), "read");
	assert_int_equal(s.fake.explained.mode, PSC_MODE_READ);
	assert_int_equal(s.fake.explained.tracer, 100);
	json_decref(reply);
	close(fd);
	spin(&s);
	service_stop(&s);
}

static void test_method_refuses(void **state)
{
	struct service s;
	int fd;

	(void)state;
	service_start(&s, &limits);
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 1);
	fd = open_client(&s);
	assert_reply(&s, fd, EXPLAIN(""), INVALID("tracee"));
	assert_reply(&s, fd, EXPLAIN("\"tracee\":0"), INVALID("tracee"));
	assert_reply(&s, fd, EXPLAIN("\"tracee\":-1"), INVALID("tracee"));
	assert_reply(&s, fd, EXPLAIN("\"tracee\":2147483648"), INVALID("tracee"));
	assert_reply(&s, fd, EXPLAIN("\"tracee\":\"1\""), INVALID("tracee"));
	assert_reply(&s, fd, EXPLAIN("\"tracee\":1,\"tracer\":0"), INVALID("tracer"));
	assert_reply(&s, fd, EXPLAIN("\"tracee\":1,\"mode\":\"boundary\""), INVALID("mode"));
	assert_int_equal(s.fake.looks, 0);

	/* A pid that is reused between the two looks, or a policy that changes in one. */
	s.fake.reused = 2;
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200"),
		     UNKNOWN("attach", "a process ended, or the policy changed, while it was looked "
			     "at; ask again"));
	s.fake.reused = 0;
	s.fake.explanation.question.scope = 3;
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200"),
		     UNKNOWN("attach", "a process ended, or the policy changed, while it was looked "
			     "at; ask again"));
	s.fake.explain_err = -PSC_E_SRCH;
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200,\"mode\":\"read\""),
		     UNKNOWN("read", "there is no such process"));
	s.fake.explain_err = -ESHUTDOWN;
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200"),
		     UNKNOWN("attach", "kernel.ftrace_enabled is 0: the programs are without effect"));
	s.fake.explain_err = -EOPNOTSUPP;
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200"),
		     UNKNOWN("attach", "the programs in force are of an older version, which cannot "
			     "tell; see \\\"kept\\\" in the status"));
	close(fd);
	spin(&s);
	service_stop(&s);
}

static void test_method_permission(void **state)
{
	struct service s;
	json_t *reply;
	int fd;

	(void)state;
	service_start(&s, &limits);
	s.fake.capable = 0;
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 0);
	s.fake.explanation.tracer.uid = s.fake.explanation.tracee.uid = getuid() + 1;
	fd = open_client(&s);
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200"), FOREIGN("process 200 belongs to another user"));
	s.fake.explanation.tracer.uid = getuid();
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200"), FOREIGN("process 200 belongs to another user"));
	s.fake.explanation.tracer.uid++;
	s.fake.explanation.tracee.uid = getuid();
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200"),
		     FOREIGN("the caller has another real user ID"));
	assert_reply(&s, fd, EXPLAIN("\"tracer\":100,\"tracee\":200"),
		     FOREIGN("process 100 belongs to another user"));
	assert_reply(&s, fd, EXPLAIN("\"tracee\":200,\"mode\":\"traceme\""),
		     FOREIGN("the parent of process 200, which would be made its tracer, belongs to "
			     "another user"));
	s.fake.explanation.tracer.uid = getuid();
	s.fake.explanation.tracee.euid = 4242;	/* a program with the set-user-ID bit */
	reply = explained(&s, fd, EXPLAIN("\"tracee\":200"));
	assert_string_equal(text_at(reply, "decides"), "ids");
	json_decref(reply);
	close(fd);
	spin(&s);
	service_stop(&s);
}

/* What is printed, and the exit code. */
static void test_command(void **state)
{
	static const char *const explain[] = { "explain", "100", "200", NULL };
	static const char *const json[] = { "--json", "explain", "200", "--mode=read", NULL };
	struct service s;
	struct result result;

	(void)state;
	service_there(&s);
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 1);
	run_against(&s, explain, &result);
	assert_int_equal(result.code, PSC_EXIT_NOT_ALLOWED);
	assert_string_equal(result.err, "");
	assert_non_null(strstr(result.out, "refused: 100 (gdb) would attach to 200 (sleep)\n"));
	assert_non_null(strstr(result.out, "5 ptracescope: refused\n"));
	assert_non_null(strstr(result.out, "\nEach of these would allow it, unless what is not "
			       "judged here refuses:\n"
			       "  sudo gdb -p 200  # another tracer, run by root\n"
			       "  in the tracee: prctl(PR_SET_PTRACER, 100)\n"
			       "  sudo ptracescopectl set kernel.ptracescope.attach_scope=0"
			       "  # for all processes of the system\n"));
	assert_null(strstr(result.out, "it would be refused by"));
	s.fake.explanation.traced_by = 7;
	run_against(&s, explain, &result);
	assert_int_equal(result.code, PSC_EXIT_NOT_ALLOWED);
	assert_non_null(strstr(result.out, "\nWithout this refusal, it would be refused by:\n\n"
			       "- traced: refused\n    process 7 traces the tracee already, and there "
			       "is one tracer only\n"));
	assert_non_null(strstr(result.out, "\nNothing that is known here would allow it.\n"));
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 3);
	s.fake.explanation.tracee.effective.policy.floor[PSC_MODE_ATTACH] = 3;
	run_against(&s, explain, &result);
	assert_non_null(strstr(result.out, "\nNothing that is known here would allow it before the next "
			       "boot: there is a floor.\n"));
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 0);
	run_against(&s, explain, &result);
	assert_int_equal(result.code, PSC_EXIT_DONE);
	assert_non_null(strstr(result.out, "allowed: 100 (gdb)"));
	assert_null(strstr(result.out, "would allow it"));
	run_against(&s, json, &result);
	assert_int_equal(result.code, PSC_EXIT_DONE);
	assert_int_equal(s.fake.explained.mode, PSC_MODE_READ);
	assert_int_equal(strncmp(result.out, "{\"verdict\": \"allowed\"", 21), 0);
	s.fake.explain_err = -PSC_E_SRCH;
	run_against(&s, explain, &result);
	assert_int_equal(result.code, PSC_EXIT_FAILED);
	assert_string_equal(result.out, "unknown: there is no such process\n");
	s.fake.explain_err = 0;
	service_stop(&s);
	run_against(NULL, explain, &result);
	assert_int_equal(result.code, PSC_EXIT_UNREACHABLE);
}

/* What is not for the caller to ask, and what root can ask instead. */
static void test_command_denied(void **state)
{
	static const char *const explain[] = { "explain", "100", "200", NULL };
	static const char *const by_shell[] = { "explain", "200", "--mode=read", NULL };
	static const char *const traceme[] = { "explain", "200", "--mode=traceme", NULL };
	char wanted[256];
	struct service s;
	struct result result;

	(void)state;
	service_there(&s);
	s.fake.explanation = strangers(PSC_MODE_ATTACH, 0);
	s.fake.capable = 0;
	s.fake.explanation.tracee.uid = getuid() + 1;
	run_against(&s, explain, &result);
	assert_int_equal(result.code, PSC_EXIT_REFUSED);
	assert_string_equal(result.out, "");
	assert_string_equal(result.err, DENIED_FOR("200", "100 200"));
	run_against(&s, by_shell, &result);
	snprintf(wanted, sizeof(wanted), DENIED_FOR("200", "%d 200 --mode read"), getpid());
	assert_int_equal(result.code, PSC_EXIT_REFUSED);
	assert_string_equal(result.err, wanted);
	/* The parent is the tracer, whoever asks. */
	run_against(&s, traceme, &result);
	assert_string_equal(result.err, DENIED_FOR("200", "200 --mode traceme"));
	service_stop(&s);
}

static void assert_usage(const char *const *arguments, const char *wanted)
{
	struct psc_cli cli;
	char *error = NULL, *help;

	assert_int_equal(parse(arguments, &cli, &error), -EINVAL);
	help = strstr(error, "; see 'ptracescopectl ");
	assert_non_null(help);
	*help = '\0';
	assert_string_equal(error, wanted);
	free(error);
}

static void test_usage(void **state)
{
	static const char *const good[] = { "explain", "7", "8", "--mode", "traceme", NULL };
	struct psc_cli cli;

	(void)state;
	assert_int_equal(parse(good, &cli, NULL), 0);
	assert_int_equal(cli.tracer, 7);
	assert_int_equal(cli.tracee, 8);
	assert_string_equal(cli.mode, "traceme");
	assert_usage((const char *[]){ "explain", NULL },
		     "missing argument after 'explain'; usage: explain [OPTION]... [TRACER] TRACEE | --last");
	assert_usage((const char *[]){ "explain", "1", "2", "3", NULL },
		     "unexpected argument '3'; usage: explain [OPTION]... [TRACER] TRACEE | --last");
	assert_usage((const char *[]){ "explain", "1", "--last", NULL },
		     "neither pids nor --mode can be given with '--last'");
	assert_usage((const char *[]){ "explain", "--last", "--mode=read", NULL },
		     "neither pids nor --mode can be given with '--last'");
	assert_usage((const char *[]){ "explain", "0", NULL },
		     "no process id: '0'; use a number that ps(1) prints");
	assert_usage((const char *[]){ "explain", "x", "1", NULL },
		     "no process id: 'x'; use a number that ps(1) prints");
	assert_usage((const char *[]){ "explain", "1", "--mode=boundary", NULL },
		     "unknown mode 'boundary'; modes are attach, traceme, read");
	assert_usage((const char *[]){ "explain", "1", "--pid=2", NULL },
		     "--pid does not go with 'explain'; it is for: watch, cgroup get, cgroup set, cgroup unset, "
		     "cgroup lock, cgroup release");
	assert_usage((const char *[]){ "explain", "1", "--mode", NULL },
		     "missing MODE after '--mode'");
	assert_usage((const char *[]){ "explain", "1", "--revocable", NULL },
		     "--revocable does not go with 'explain'; it is for: set, cgroup set");
	assert_usage((const char *[]){ "status", "--mode=read", NULL },
		     "--mode does not go with 'status'; it is for: explain, watch");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_method),
		TEST(test_method_refuses),
		TEST(test_method_permission),
		TEST(test_command),
		TEST(test_command_denied),
		TEST(test_usage),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("explain_method", tests, make_directory, remove_directory);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of the socket and the command are those of the tables, in their order. */
#include "command_run.h"

#include "interface.h"
#include "names.h"
#include "ptracescope_judge.h"

static void test_method(void **state)
{
	struct service s;
	char reply[1024] = "";
	int fd;

	(void)state;
	service_start(&s, &limits);
	fd = open_client(&s);
	put_message(fd, SET("\"kernel.ptracescope.read_scope\"", "2"));
	spin(&s);
	expect_json(fd, REPLY("\"value\":2"));
	for (size_t i = 0; i < PSC_NAMES; i++)
		sprintf(reply + strlen(reply), "%s{\"name\":\"%s\",\"value\":%u}",
			i ? "," : "{\"parameters\":{\"values\":[", psc_names[i].name,
			psc_name_get(&psc_names[i], &s.fake.policy));
	strcat(reply, "]}}");
	assert_non_null(strstr(reply, "\"kernel.ptracescope.read_scope\",\"value\":2"));
	put_message(fd, OURS("List", ""));
	spin(&s);
	expect_json(fd, reply);
	close(fd);
	service_stop(&s);
}

static void test_command(void **state)
{
	char lines[1024] = "", json[1024] = "[";
	struct service s;

	(void)state;
	service_there(&s);
	check_runs(&s, (const struct run_case[]){ { { "set", "read_scope=2" }, 0,
		   "kernel.ptracescope.read_scope = 2\n", "" } }, 1);
	for (size_t i = 0; i < PSC_NAMES; i++) {
		unsigned int value = psc_name_get(&psc_names[i], &s.fake.policy);

		sprintf(lines + strlen(lines), "%s = %u\n", psc_names[i].name, value);
		sprintf(json + strlen(json), "%s{\"name\": \"%s\", \"value\": %u}", i ? ", " : "",
			psc_names[i].name, value);
	}
	strcat(json, "]\n");
	assert_non_null(strstr(lines, "kernel.ptracescope.read_scope = 2\n"));
	check_runs(&s, (const struct run_case[]){ { { "list" }, 0, lines, "" },
		   { { "list", "--json" }, 0, json, "" } }, 2);
	service_stop(&s);
}

/* The description of the interface has the words of all reasons, facts and modes. */
static void test_description(void **state)
{
	static const char *const facts[] = {
#define FACT_WORD(id, word) word,
		PSC_FACT_TABLE(FACT_WORD)
#undef FACT_WORD
	};
	const char *words[PSC_REASONS + PSC_FACTS + PSC_MODES];
	size_t n = 0;

	(void)state;
	for (unsigned int i = 0; i < PSC_REASONS; i++)
		words[n++] = psc_reason_word(i);
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		words[n++] = facts[i];
	for (unsigned int i = 0; i < PSC_MODES; i++)
		words[n++] = psc_mode_word(i);
	for (size_t i = 0; i < n; i++) {
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "\"%s\"", words[i]);
		if (!strstr(psc_interface_io_ptracescope, quoted))
			fail_msg("src/common/interface.c lacks %s", quoted);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_method),
		TEST(test_command),
		TEST(test_description),
	};

	psc_log_set_level(LOG_CRIT);
	return cmocka_run_group_tests_name("list", tests, make_directory, remove_directory);
}

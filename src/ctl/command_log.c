/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl log": refusals from the journal, one by one or grouped. */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>

#include "call.h"
#include "json.h"
#include "log.h"
#include "log_groups.h"
#include "message_id.h"
#include "show.h"
#include "util.h"

#define FIELD_MAX 8192

/* Anybody may send an entry with our MESSAGE_ID; these fields journald itself has put there. */
static const char *const matches[] = {
	"_UID=0", "_SYSTEMD_UNIT=ptracescoped.service",
	"MESSAGE_ID=" PSC_MESSAGE_ID_REFUSED, "MESSAGE_ID=" PSC_MESSAGE_ID_TAMPER,
	"MESSAGE_ID=" PSC_MESSAGE_ID_SUPPRESSED,
};

struct log {
	const struct psc_cli *cli;
	struct psc_log_groups groups;
	json_int_t suppressed;		/* the daemon counted them, and reported no more */
	bool any;
};

/* A field as JSON, or NULL. */
static json_t *field(sd_journal *journal, const char *name)
{
	_cleanup_free_ char *text = NULL;
	size_t size, len = strlen(name) + 1;
	const void *data;

	if (sd_journal_get_data(journal, name, &data, &size) < 0 || size < len || size > FIELD_MAX)
		return NULL;
	text = strndup((const char *)data + len, size - len);
	return text ? psc_json_text(text) : NULL;
}

static json_t *number(sd_journal *journal, const char *name)
{
	json_t *text = field(journal, name);
	const char *digits = json_string_value(text);
	json_t *value = digits && *digits && strspn(digits, "0123456789") == strlen(digits) ?
		json_integer(strtoll(digits, NULL, 10)) : NULL;

	json_decref(text);
	return value;
}

/* One side, by the prefix of its fields. */
static json_t *side(sd_journal *journal, const char *pid, const char *uid, const char *command,
		    const char *cmdline, const char *cgroup)
{
	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:o*}", "pid", number(journal, pid),
			 "uid", number(journal, uid), "command", field(journal, command),
			 "command_line", field(journal, cmdline), "cgroup", field(journal, cgroup));
}

#define SIDE(journal, role) side(journal, "PTRACESCOPE_" role "_PID", "PTRACESCOPE_" role "_UID", \
	"PTRACESCOPE_" role "_COMM", "PTRACESCOPE_" role "_CMDLINE", "PTRACESCOPE_" role "_CGROUP")

/* The entry where the journal stands. NULL when out of memory. */
static json_t *read_entry(sd_journal *journal, uint64_t usec)
{
	json_t *guard = field(journal, "PTRACESCOPE_GUARD");
	json_t *suppressed = number(journal, "PTRACESCOPE_SUPPRESSED");

	if (guard)
		return json_pack("{s:I, s:o, s:o, s:o*}", "time_us", (json_int_t)usec, "guard", guard,
				 "process", SIDE(journal, "PROCESS"), "message",
				 field(journal, "MESSAGE"));
	if (suppressed)
		return json_pack("{s:I, s:o, s:o*, s:o*}", "time_us", (json_int_t)usec, "suppressed",
				 suppressed, "lost", number(journal, "PTRACESCOPE_LOST"), "message",
				 field(journal, "MESSAGE"));
	return json_pack("{s:I, s:o*, s:o*, s:o*, s:o*, s:o, s:o, s:o*}", "time_us", (json_int_t)usec,
			 "mode", field(journal, "PTRACESCOPE_OPERATION"),
			 "scope", number(journal, "PTRACESCOPE_SCOPE"),
			 "reason", field(journal, "PTRACESCOPE_REASON"),
			 "text", field(journal, "PTRACESCOPE_REASON_TEXT"),
			 "tracer", SIDE(journal, "TRACER"), "tracee", SIDE(journal, "TRACEE"),
			 "message", field(journal, "MESSAGE"));
}

/* The daemon has escaped what users choose, so backslashes in it stay single. */
static void show_entry(const json_t *entry)
{
	_cleanup_free_ char *message = psc_show_path(entry, "message");

	psc_show_time(stdout, psc_show_number(entry, "time_us"));
	printf(" %s\n", message ? message : "?");
}

/* Takes over @entry. */
static int take_entry(struct log *log, json_t *entry)
{
	json_int_t suppressed = psc_show_number(entry, "suppressed");
	int err = entry ? 0 : -ENOMEM;

	log->any = true;
	if (suppressed > 0)
		log->suppressed += suppressed;
	if (!err && log->cli->grouped)
		err = suppressed >= 0 ? 0 : psc_log_groups_add(&log->groups, entry);
	else if (!err && log->cli->json)
		err = psc_print_json(json_incref(entry)) == PSC_EXIT_DONE ? 0 : -ENOMEM;
	else if (!err)
		show_entry(entry);
	json_decref(entry);
	return err;
}

static int read_journal(struct log *log, sd_journal *journal)
{
	int err = 0, more = 0;
	uint64_t usec;

	for (size_t i = 0; i < ARRAY_SIZE(matches) && err >= 0; i++)
		err = sd_journal_add_match(journal, matches[i], 0);
	if (err >= 0)
		err = log->cli->since ? sd_journal_seek_realtime_usec(journal, log->cli->since) :
					sd_journal_seek_head(journal);
	while (err >= 0 && (more = sd_journal_next(journal)) > 0) {
		err = sd_journal_get_realtime_usec(journal, &usec);
		if (err >= 0 && usec > log->cli->until)
			break;
		if (err >= 0 && usec >= log->cli->since)
			err = take_entry(log, read_entry(journal, usec));
		if (ferror(stdout))
			break;
	}
	return err < 0 ? err : more < 0 ? more : 0;
}

static void show_group(const json_t *group)
{
	/* Escaped as in show_entry(). */
	_cleanup_free_ char *tracer = psc_show_path(group, "tracer");
	_cleanup_free_ char *tracee = psc_show_path(group, "tracee");
	_cleanup_free_ char *mode = psc_show_text(group, "mode");
	_cleanup_free_ char *guard = psc_show_text(group, "guard");
	_cleanup_free_ char *text = psc_show_path(group, "text");

	printf("%7" JSON_INTEGER_FORMAT "  ", psc_show_number(group, "count"));
	psc_show_time(stdout, psc_show_number(group, "first_us"));
	fputs("  ", stdout);
	psc_show_time(stdout, psc_show_number(group, "last_us"));
	if (json_object_get(group, "guard"))
		printf("  tampering (%s) by \"%s\" (uid %" JSON_INTEGER_FORMAT ")\n",
		       guard ? guard : "?", tracer ? tracer : "?", psc_show_number(group, "uid"));
	else
		printf("  %s of \"%s\" by \"%s\" (uid %" JSON_INTEGER_FORMAT "): %s\n",
		       mode ? mode : "?", tracee ? tracee : "?", tracer ? tracer : "?",
		       psc_show_number(group, "uid"), text ? text : "?");
}

static enum psc_cli_exit show_groups(const struct log *log)
{
	json_t *all = psc_log_groups_sorted(&log->groups), *group;
	size_t i;

	if (!all)
		return psc_fail(PSC_EXIT_FAILED, "%s", strerror(ENOMEM));
	if (log->cli->json)
		return psc_print_json(json_pack("{s:o, s:I, s:I}", "groups", all, "others",
						log->groups.others, "suppressed", log->suppressed));
	if (json_array_size(all))
		printf("%7s  %-19s  %-19s  %s\n", "COUNT", "FIRST", "LAST", "WHAT");
	json_array_foreach(all, i, group) {
		show_group(group);
	}
	if (log->groups.others)
		printf("%7" JSON_INTEGER_FORMAT "  others: there are more than %d kinds; choose a "
		       "shorter time\n", log->groups.others, PSC_LOG_GROUPS_MAX);
	if (log->suppressed)
		printf("%7" JSON_INTEGER_FORMAT "  more were not reported one by one\n",
		       log->suppressed);
	json_decref(all);
	return PSC_EXIT_DONE;
}

/* May the caller read the journal below @root? -ENOENT when none is there. */
static int try_journal(const char *root)
{
	char id[SD_ID128_STRING_MAX], path[PATH_MAX];
	sd_id128_t machine;

	if (sd_id128_get_machine(&machine) < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/%s/system.journal", root,
		 sd_id128_to_string(machine, id));
	return access(path, R_OK) ? -errno : 0;
}

/* libsystemd leaves out what it cannot open, and an empty log would look as if all were well. */
static enum psc_cli_exit check_journal(void)
{
	const int kept = try_journal("/var/log/journal"), present = try_journal("/run/log/journal");

	if (!kept || !present)
		return PSC_EXIT_DONE;
	if (kept == -EACCES || present == -EACCES)
		return psc_fail(PSC_EXIT_REFUSED, "permission denied: root and members of the group "
				"systemd-journal can read the journal of the system");
	if (kept == -ENOENT && present == -ENOENT)
		return psc_fail(PSC_EXIT_FAILED, "there is no journal: is systemd-journald running? "
				"Without it, refusals are in the log that ptracescoped writes to");
	return psc_fail(PSC_EXIT_FAILED, "the journal cannot be read: %s",
			strerror(kept == -ENOENT ? -present : -kept));
}

enum psc_cli_exit psc_command_log(const struct psc_cli *cli)
{
	struct log log = { .cli = cli };
	enum psc_cli_exit code = check_journal();
	sd_journal *journal = NULL;
	int err;

	if (code != PSC_EXIT_DONE)
		return code;
	signal(SIGPIPE, SIG_DFL);	/* as filters do, this ends with who reads from it */
	err = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
	if (!err)
		err = read_journal(&log, journal);
	sd_journal_close(journal);
	if (err)
		code = psc_fail(PSC_EXIT_FAILED, "reading the journal: %s", strerror(-err));
	else if (cli->grouped)
		code = show_groups(&log);
	if (!err && !log.any)
		psc_log(LOG_NOTICE, "no refusals in the journal%s",
			cli->options & (1U << PSC_OPTION_SINCE | 1U << PSC_OPTION_UNTIL) ?
			" of that time" : "");
	psc_log_groups_free(&log.groups);
	return code;
}

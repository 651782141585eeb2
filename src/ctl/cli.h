/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of ptracescopectl. */
#ifndef PSC_CLI_H
#define PSC_CLI_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"

/* What struct sockaddr_un has room for, the NUL included. */
#define PSC_CLI_SOCKET_MAX 108

/* As many levels as there can be, all with the longest of names, and where they are mounted. */
#define PSC_CLI_CGROUP_MAX ((PSC_CGROUP_LEVELS + 1) * (NAME_MAX + 1))

enum psc_cli_exit {
	PSC_EXIT_DONE = 0,
	PSC_EXIT_FAILED = 1,
	PSC_EXIT_USAGE = 2,
	PSC_EXIT_REFUSED = 3,		/* permission denied, or locked */
	PSC_EXIT_UNREACHABLE = 4,	/* no daemon, or no answer */
	PSC_EXIT_PARTLY = 5,		/* reload: some cgroups are without their sections */
	PSC_EXIT_NOT_ALLOWED = 5,	/* explain: the access is refused */
};

enum psc_cli_command {
	PSC_CLI_GET,
	PSC_CLI_SET,
	PSC_CLI_LOCK,
	PSC_CLI_UNSET,
	PSC_CLI_LIST,
	PSC_CLI_STATUS,
	PSC_CLI_DETACH,
	PSC_CLI_RELOAD,
	PSC_CLI_DOCTOR,
	PSC_CLI_EXPLAIN,
	PSC_CLI_WATCH,
	PSC_CLI_LOG,
	PSC_CLI_METRICS,
	PSC_CLI_ASSERT,
	PSC_CLI_CGROUP_LIST,
	PSC_CLI_CGROUP_GET,
	PSC_CLI_CGROUP_SET,
	PSC_CLI_CGROUP_UNSET,
	PSC_CLI_CGROUP_LOCK,
	PSC_CLI_CGROUP_RELEASE,
	PSC_CLI_OCI_HOOK,
	PSC_CLI_COMPLETE,
	PSC_CLI_OVERVIEW,		/* without a command */
	PSC_CLI_HELP,
	PSC_CLI_VERSION,
};

/* What "assert" says of the state. */
enum psc_cli_claim {
	PSC_CLAIM_IS,			/* NAME=VALUE */
	PSC_CLAIM_AT_LEAST,		/* NAME>=VALUE */
	PSC_CLAIM_ENFORCING,
	PSC_CLAIM_LOCKED,		/* no scope can be lowered, and one is not 0 */
};

struct psc_cli_assertion {
	const char *text;
	enum psc_cli_claim claim;
	const struct psc_name *name;	/* of the first two */
	unsigned int value;
};

#define PSC_CLI_ASSERTIONS_MAX 16

struct psc_cli {
	enum psc_cli_command command;
	const struct psc_cli_word *topic;	/* help: the command; NULL for all */
	bool cgroup_topic;		/* help: the commands behind "cgroup" */
	const struct psc_name *name;	/* get, set, lock; of a cgroup NULL for all */
	unsigned int value;		/* set, lock */
	const char *cgroup;		/* NULL: the one of pid; watch: NULL for any */
	unsigned int pid;		/* watch: 0 for any */
	unsigned int tracer, tracee;	/* explain: pids; tracer 0: a new child of the shell */
	const char *mode;		/* explain, watch: a word, or NULL */
	unsigned int uid;		/* watch */
	bool by_uid;
	bool last;			/* explain: the last refusal */
	struct psc_cli_assertion assertions[PSC_CLI_ASSERTIONS_MAX];	/* assert */
	unsigned int n_assertions;
	bool verbose;			/* assert */
	uint64_t since, until;		/* log: microseconds since 1970 */
	bool grouped;			/* log */
	bool openmetrics;		/* metrics: in that format */
	bool http;			/* metrics: answer a request */
	bool present;			/* lock: at the scope in force, not at the value */
	unsigned int names;		/* lock: a bit for each of psc_names[]; 0 for all */
	bool revocable;			/* set */
	bool lock;			/* cgroup set */
	bool sticky, not_sticky;	/* cgroup set */
	bool persist;			/* set, unset, lock, and those of a cgroup */
	bool has_fallback;		/* oci-hook */
	unsigned int fallback;
	bool allow_lock;		/* oci-hook */
	const char *socket;
	bool json;
	bool yes;
	unsigned int options;		/* a bit for each enum psc_cli_option_id that was given */
	char *const *words;		/* complete: the last one is completed */
	int n_words;
};

/* A command; the words behind "cgroup" are in a table of their own. */
struct psc_cli_word {
	const char *word;
	enum psc_cli_command command;
	int arguments_min, arguments_max;	/* of a cgroup: behind CGROUP */
	const char *operands;			/* as its usage shows them; "" for none */
	const char *purpose;			/* one line, for the list of commands */
	const char *details;			/* for "COMMAND --help", in lines */
};

/* Both end with an entry without a word. Help and completion are made from them. */
extern const struct psc_cli_word psc_cli_words[];
extern const struct psc_cli_word psc_cli_cgroup_words[];

/* The entry for @text, or NULL. */
const struct psc_cli_word *psc_cli_word_find(const struct psc_cli_word *words, const char *text);

/* Is it one of those behind "cgroup"? */
bool psc_cli_word_is_cgroup(const struct psc_cli_word *word);

enum psc_cli_option_id {
	PSC_OPTION_HELP,
	PSC_OPTION_VERSION,
	PSC_OPTION_YES,
	PSC_OPTION_JSON,
	PSC_OPTION_REVOCABLE,
	PSC_OPTION_LOCK,
	PSC_OPTION_PERSIST,
	PSC_OPTION_ALLOW_LOCK,
	PSC_OPTION_LAST,
	PSC_OPTION_STICKY,
	PSC_OPTION_NO_STICKY,
	PSC_OPTION_VERBOSE,
	PSC_OPTION_GROUPED,
	PSC_OPTION_OPENMETRICS,
	PSC_OPTION_HTTP,
	PSC_OPTION_PID,
	PSC_OPTION_DEFAULT,
	PSC_OPTION_MODE,
	PSC_OPTION_CGROUP,
	PSC_OPTION_UID,
	PSC_OPTION_SINCE,
	PSC_OPTION_UNTIL,
	PSC_OPTION_SOCKET,
};

struct psc_cli_option {
	const char *text;		/* "-y" or "--yes" */
	enum psc_cli_option_id id;
	const char *argument;		/* what the help calls it; NULL for none */
	unsigned int commands;		/* that it goes with: a bit for each psc_cli_command */
	const char *purpose;
	unsigned int listed;		/* whose help lists it; 0: those that it goes with */
};

/* Ends with an entry without a text. An option for all commands has all bits. */
extern const struct psc_cli_option psc_cli_options[];

#define PSC_CLI_ALL_COMMANDS (~0U)

/* Does the help of @command list it? Others may accept it. */
bool psc_cli_option_is_listed(const struct psc_cli_option *option, enum psc_cli_command command);

/* What it does, for @command alone. */
const char *psc_cli_option_purpose(const struct psc_cli_option *option,
				   enum psc_cli_command command);

/* The option that is written so; NULL for none. */
const struct psc_cli_option *psc_cli_option_find(const char *text, size_t len);

/**
 * psc_cli_parse - what the arguments ask for
 * @ret: refers to @argv; unwritten on error
 * @ret_error: on -EINVAL, an allocated line that says what is wrong and names the help
 *
 * Options may come before and after the command, "--" ends them. --help and
 * --version are obeyed at once, whatever follows; --help is for the command in front of it.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int psc_cli_parse(int argc, char *const *argv, struct psc_cli *ret, char **ret_error);

/**
 * psc_cli_parse_options - read options into @cli, and collect what is none
 * @words: has room for @argc
 * @ret_n: the number of words
 *
 * Return: 1 after --help or --version, which end the parsing; otherwise as psc_cli_parse().
 */
int psc_cli_parse_options(int argc, char *const *argv, struct psc_cli *cli, char **words,
			  int *ret_n, char **ret_error);

/* Refuse the options in @cli that do not go with @word. As psc_cli_parse(). */
int psc_cli_check_options(const struct psc_cli_word *word, const struct psc_cli *cli,
			  char **ret_error);

/* The rest of "cgroup ...": @n words after it. As psc_cli_parse(). */
int psc_cli_parse_cgroup(int n, char *const *words, struct psc_cli *cli, char **ret_error);

/* --persist, of settings that the configuration has no words for. As psc_cli_parse(). */
int psc_cli_check_persist(const struct psc_cli *cli, char **ret_error);

/* The words after "explain", two at most. As psc_cli_parse(). */
int psc_cli_parse_explain(int n, char *const *words, struct psc_cli *cli, char **ret_error);

/* --mode, of "explain" and "watch". As psc_cli_parse(). */
int psc_cli_check_mode(const struct psc_cli *cli, char **ret_error);

/* --since and --until, of "log". As psc_cli_parse(). */
int psc_cli_check_time(const struct psc_cli *cli, char **ret_error);

/* The words after "assert". As psc_cli_parse(). */
int psc_cli_parse_assert(int n, char *const *words, struct psc_cli *cli, char **ret_error);

/* "BEFORE 'ARGUMENT'AFTER" as the error; the argument may be anything. Return: -EINVAL, -ENOMEM. */
int psc_cli_usage(char **ret_error, const char *before, const char *argument, const char *after);

/* The same with the usage of @word behind it. */
int psc_cli_usage_of(const struct psc_cli_word *word, char **ret_error, const char *before,
		     const char *argument);

/* No such command; the nearest of @words is named. */
int psc_cli_unknown_command(const struct psc_cli_word *words, const char *before, const char *text,
			    char **ret_error);

/* No such name. Return: -EINVAL, -ENOMEM. */
int psc_cli_unknown_name(const char *name, char **ret_error);

/* The name @text, or its last part. Return: 0, -EINVAL, -ENOMEM. */
int psc_cli_find_name(const char *text, const struct psc_name **ret, char **ret_error);

/* A value of @name, of a cgroup or not. Return: 0, -EINVAL, -ENOMEM. */
int psc_cli_value(const struct psc_name *name, const char *text, bool cgroup, unsigned int *ret,
		  char **ret_error);

/**
 * psc_cli_final - does this setting last until the next boot?
 *
 * Asks psc_policy_change(), so it cannot differ from what the kernel side does.
 */
bool psc_cli_final(const struct psc_name *name, unsigned int value, bool revocable);

#endif

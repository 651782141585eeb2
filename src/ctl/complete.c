/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl complete ...", which the completion of each shell calls. */
#include "complete.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cli.h"
#include "escape.h"
#include "interface.h"
#include "util.h"

#define COMM_MAX 64

/* The word to be completed. */
struct target {
	const struct psc_completion *completion;
	const char *kept;	/* "--socket=" of "--socket=/run/x" */
	int kept_len;
	const char *word;	/* what is behind that */
};

/* Can a terminal show it, and a line hold it? */
static bool is_printable(const char *text)
{
	size_t len = strlen(text), expected = len;
	_cleanup_free_ char *escaped = psc_escape(text, len, 4 * len + 4);

	for (size_t i = 0; i < len; i++)
		expected += text[i] == '"' || text[i] == '\\';
	return escaped && strlen(escaped) == expected;
}

/* Print @before + @text + @after if the word can become that. @purpose may be NULL. */
static void offer(const struct target *target, const char *before, const char *text,
		  const char *after, const char *purpose)
{
	_cleanup_free_ char *whole = NULL;

	if (asprintf(&whole, "%s%s%s", before, text, after) < 0) {
		whole = NULL;
		return;
	}
	if (strncmp(whole, target->word, strlen(target->word)) != 0 || !is_printable(whole))
		return;
	fprintf(target->completion->out, "%.*s%s%s%s\n", target->kept_len, target->kept, whole,
		purpose ? "\t" : "", purpose ? purpose : "");
}

/* The same word, of which the first bytes are settled. */
static struct target behind(const struct target *target, size_t len)
{
	return (struct target){ target->completion, target->kept, target->kept_len + (int)len,
				target->word + len };
}

static void offer_values(const struct target *target, const struct psc_name *name, bool cgroup)
{
	char number[PSC_LABEL_SIZE];

	for (unsigned int value = 0; psc_value_fits_name(name, value, false); value++) {
		snprintf(number, sizeof(number), "%u", value);
		offer(target, "", psc_value_word(name, value), "", number);
	}
	if (cgroup && psc_value_fits_name(name, PSC_SCOPE_SIBLINGS, true))
		offer(target, "", psc_scope_word(PSC_SCOPE_SIBLINGS), "",
		      "1, except among the processes of the cgroup");
}

/* Short ones, and in full for who begins to write them so. */
static void offer_names(const struct target *target, bool floors, const char *after)
{
	bool full = *target->word == 'k';

	for (size_t i = 0; i < PSC_NAMES; i++)
		if (floors || !psc_names[i].floor)
			offer(target, "", full ? psc_names[i].name :
			      strrchr(psc_names[i].name, '.') + 1, after, NULL);
}

/* "NAME=", or "NAME>=": the values behind it. Return: whether the word is such a one. */
static bool offer_assigned(const struct target *target, bool cgroup)
{
	const char *equals = strchr(target->word, '=');
	size_t len = equals ? (size_t)(equals - target->word) : 0;
	_cleanup_free_ char *text = equals ? strndup(target->word, len -
						     (len && equals[-1] == '>')) : NULL;
	const struct psc_name *name = text ? psc_name_find_short(text) : NULL;
	struct target value;

	if (name) {
		value = behind(target, (size_t)(equals + 1 - target->word));
		offer_values(&value, name, cgroup);
	}
	return equals;
}

/* The directories in @dir_fd, as @place and their names; with a slash where there is more below. */
static void offer_directories(const struct target *target, int dir_fd, const char *place)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		psc_closep(&fd);
		return;
	}
	while ((entry = readdir(stream))) {
		struct stat st;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		offer(target, place, entry->d_name, "", NULL);
		if (st.st_nlink > 2)
			offer(target, place, entry->d_name, "/", NULL);
	}
	closedir(stream);
}

/* Units have no parents but slices. */
static int offer_unit(void *data, const struct psc_cgroup *cgroup)
{
	const char *slash = strrchr(cgroup->path, '/'), *name = slash ? slash + 1 : cgroup->path;
	const char *dot = strrchr(name, '.');

	if (slash && psc_cgroup_is_unit(name))		/* the others are in the root's directory */
		offer(data, "", name, "", "unit");
	return dot && streq(dot, ".slice") ? 0 : PSC_CGROUP_SKIP;
}

/* Level by level, and units from their first letter on, as there are hundreds. */
static void offer_cgroups(struct target *target)
{
	const struct psc_cgroups *cgroups = target->completion->cgroups;
	const char *slash = strrchr(target->word, '/');
	_cleanup_free_ char *place = slash ? strndup(target->word, (size_t)(slash + 1 - target->word)) :
					     strdup("");
	struct psc_cgroup cgroup = { .fd = -1 };
	int err = 0;

	if (cgroups->root_fd < 0 || !place)
		return;
	if (*place && !streq(place, "/"))
		err = psc_cgroup_find(cgroups, place, &cgroup);
	if (!err || err == PSC_CGROUP_ROOT)
		offer_directories(target, cgroup.fd < 0 ? cgroups->root_fd : cgroup.fd, place);
	if (!err)
		psc_cgroup_free(&cgroup);
	if (!slash && *target->word)
		psc_cgroup_walk(cgroups, offer_unit, target);
}

static void offer_pids(const struct target *target)
{
	DIR *stream = opendir(target->completion->proc);
	struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		_cleanup_free_ char *path = NULL, *comm = NULL;
		unsigned int pid;

		if (psc_parse_u32(entry->d_name, &pid))
			continue;
		if (asprintf(&path, "%s/%u/comm", target->completion->proc, pid) < 0) {
			path = NULL;
			continue;
		}
		if (!psc_read_file(path, COMM_MAX, &comm, NULL) && is_printable(psc_strip(comm)))
			offer(target, "", entry->d_name, "", psc_strip(comm));
	}
	if (stream)
		closedir(stream);
}

static void offer_argument(const struct target *target, enum psc_cli_option_id option)
{
	if (option == PSC_OPTION_PID)
		offer_pids(target);
	if (option == PSC_OPTION_SINCE || option == PSC_OPTION_UNTIL) {
		offer(target, "", "today", "", "00:00");
		offer(target, "", "yesterday", "", "00:00 the day before");
		offer(target, "", "-1h", "", "an hour ago");
	}
	if (option == PSC_OPTION_CGROUP) {
		struct target cgroup = *target;

		offer_cgroups(&cgroup);
	}
	for (unsigned int mode = 0; option == PSC_OPTION_MODE && mode < PSC_MODES; mode++)
		offer(target, "", psc_mode_word(mode), "", NULL);
	if (option == PSC_OPTION_DEFAULT)
		offer_values(target, psc_name_find(PSC_NAME_YAMA), true);
	if (option == PSC_OPTION_SOCKET)
		offer(target, "", PSC_SOCKET_PATH, "", "the default");
}

static void offer_words(const struct target *target, const struct psc_cli_word *words)
{
	for (; words->word; words++)
		offer(target, "", words->word, "", words->purpose);
}

static void offer_commands(const struct target *target)
{
	offer_words(target, psc_cli_words);
	offer(target, "", "cgroup", "", "the same for a cgroup");
}

/* What is in front of the word: the command, once it is there, and its operands. */
struct line {
	const struct psc_cli_word *command;	/* NULL: it is to come */
	bool cgroup;				/* or is one of those */
	bool pid;				/* in place of a cgroup */
	const struct psc_cli_option *argument_of;	/* the word itself is one */
	bool options_end;
	int n;
	char *const *operands[4];		/* the first ones */
};

static void offer_options(const struct target *target, const struct line *line)
{
	const char *equals = strchr(target->word, '=');
	const struct psc_cli_option *option;

	if (equals) {
		size_t len = (size_t)(equals - target->word);
		struct target argument = behind(target, len + 1);

		option = psc_cli_option_find(target->word, len);
		if (option && option->argument)
			offer_argument(&argument, option->id);
		return;
	}
	for (option = psc_cli_options; option->text; option++)
		if (!line->command || (option->commands >> line->command->command & 1))
			offer(target, "", option->text, "", !line->command ? option->purpose :
			      psc_cli_option_purpose(option, line->command->command));
}

/* Operand @n of the command, of those of a cgroup behind CGROUP. */
static void offer_operand(struct target *target, const struct line *line, int n)
{
	const struct psc_name *floor = psc_name_find(PSC_NAME_FLOOR), *name;
	const char *before = n > 0 ? *line->operands[line->n - 1] : "";
	bool cgroup = line->cgroup;

	if (n >= line->command->arguments_max)
		return;
	switch (line->command->command) {
	case PSC_CLI_GET:
	case PSC_CLI_CGROUP_GET:
		offer_names(target, true, "");
		break;
	case PSC_CLI_UNSET:
		offer_names(target, true, "");
		break;
	case PSC_CLI_CGROUP_UNSET:
		offer_names(target, false, "");
		break;
	case PSC_CLI_SET:
	case PSC_CLI_CGROUP_SET:
		name = n ? psc_name_find_short(before) : psc_name_find(PSC_NAME_YAMA);
		if (offer_assigned(target, cgroup) || !name)
			break;
		offer_values(target, name, cgroup);
		if (!n)
			offer_names(target, true, cgroup ? "" : "=");
		break;
	case PSC_CLI_ASSERT:
		if (offer_assigned(target, false))
			break;
		offer(target, "", "enforcing", "", "the programs are in force");
		offer(target, "", "locked", "", "nothing can be lowered until reboot");
		/* Without quotes, ">=" would be for the shell. */
		offer_names(target, true, "=");
		break;
	case PSC_CLI_LOCK:
		if (!n)
			offer_values(target, floor, false);
		if (!n || psc_name_find_short(before))
			offer_names(target, false, "");
		break;
	case PSC_CLI_CGROUP_LOCK:
		offer_values(target, floor, true);
		break;
	case PSC_CLI_EXPLAIN:
		offer_pids(target);
		break;
	case PSC_CLI_HELP:
		if (!n)
			offer_commands(target);
		else if (streq(before, "cgroup"))
			offer_words(target, psc_cli_cgroup_words);
		break;
	default:
		break;
	}
}

/* An operand in front of the word. */
static void read_operand(struct line *line, char *const *word)
{
	if (!line->command && !line->cgroup && streq(*word, "cgroup")) {
		line->cgroup = true;
		return;
	}
	if (!line->command) {
		line->command = psc_cli_word_find(line->cgroup ? psc_cli_cgroup_words :
						  psc_cli_words, *word);
		/* One that is none leaves nothing to say. */
		line->n = line->command ? 0 : -1;
		return;
	}
	/* Only the last one counts, however many names there are. */
	line->operands[line->n < 3 ? line->n : 3] = word;
	if (line->n < 4)
		line->n++;
}

/* All words but the last. Return: whether there can be more. */
static bool read_line(struct line *line, int n, char *const *words)
{
	for (int i = 0; i < n && line->n >= 0; i++) {
		const char *equals = strchr(words[i], '=');
		const struct psc_cli_option *option;

		if (!line->options_end && streq(words[i], "--")) {
			line->options_end = true;
			continue;
		}
		if (line->options_end || words[i][0] != '-' || !words[i][1]) {
			read_operand(line, &words[i]);
			continue;
		}
		option = psc_cli_option_find(words[i], equals ? (size_t)(equals - words[i]) :
					     strlen(words[i]));
		if (!option)
			return false;
		line->pid |= option->id == PSC_OPTION_PID;
		if (!option->argument || equals)
			continue;
		if (i + 1 == n)
			line->argument_of = option;
		i++;
	}
	return line->n >= 0;
}

void psc_complete(const struct psc_completion *completion, int n, char *const *words)
{
	struct line line = {};
	struct target target;
	bool behind_cgroup;

	if (n < 1 || !read_line(&line, n - 1, words))
		return;
	target = (struct target){ completion, words[n - 1], 0, words[n - 1] };
	if (line.argument_of) {
		offer_argument(&target, line.argument_of->id);
	} else if (!line.options_end && target.word[0] == '-') {
		offer_options(&target, &line);
	} else if (!line.command && line.cgroup) {
		offer_words(&target, psc_cli_cgroup_words);
	} else if (!line.command) {
		offer_commands(&target);
	} else {
		behind_cgroup = line.cgroup && !line.pid &&
				line.command->command != PSC_CLI_CGROUP_LIST &&
				line.command->command != PSC_CLI_CGROUP_RELEASE;
		if (behind_cgroup && !line.n)
			offer_cgroups(&target);
		else
			offer_operand(&target, &line, line.n - behind_cgroup);
	}
}

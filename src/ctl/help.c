/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the help of ptracescopectl, all of it or of one command. */
#include "help.h"

#include "names.h"
#include "util.h"

#define COLUMN 24		/* where what a command or an option does begins */
#define WIDTH 80

static const char about[] =
	"Read and change who may ptrace whom, as ptracescoped enforces it.\n";

static const char values[] =
	"VALUE, LEVEL and SCOPE: 0 or classic, 1 or restricted, 2 or admin-only, 3 or no-attach;\n"
	"  for cgroups also siblings (as 1, but processes of the same cgroup can attach to each\n"
	"  other).\n";

static const char exit_codes[] =
	"Exit codes: 0 done, 1 failed, 2 usage, 3 refused (permission or locked),\n"
	"  4 the daemon cannot be reached, 5 reload: in force but for some cgroups;\n"
	"  explain: 0 allowed, 5 refused, 1 cannot tell; assert: 0 all hold, 1 not\n";

/* The lines of @text in their column; where there is no room, below it. */
static void print_row(FILE *out, int len, const char *text)
{
	if (len >= COLUMN) {
		fputc('\n', out);
		len = 0;
	}
	for (const char *line = text; line; len = 0) {
		const char *end = strchr(line, '\n');

		fprintf(out, "%*s%.*s\n", COLUMN - len, "", (int)strcspn(line, "\n"), line);
		line = end ? end + 1 : NULL;
	}
}

static const char *group(const struct psc_cli_word *word)
{
	return psc_cli_word_is_cgroup(word) ? "cgroup " : "";
}

static void print_commands(FILE *out, const struct psc_cli_word *words)
{
	for (; words->word; words++)
		print_row(out, fprintf(out, "  %s%s%s%s", group(words), words->word,
				       *words->operands ? " " : "", words->operands),
			  words->purpose);
}

/* The one of the same meaning with one letter; NULL for none. */
static const char *short_form(const struct psc_cli_option *option)
{
	for (const struct psc_cli_option *other = psc_cli_options; other->text; other++)
		if (other->id == option->id && strlen(other->text) == 2)
			return other->text;
	return NULL;
}

/* @word: those that its help lists, NULL: all; @common: those of all commands, or the others */
static void print_options(FILE *out, const struct psc_cli_word *word, bool common)
{
	for (const struct psc_cli_option *option = psc_cli_options; option->text; option++) {
		const char *letter = short_form(option);
		int len;

		if (strlen(option->text) == 2 ||
		    (word && !psc_cli_option_is_listed(option, word->command)) ||
		    (option->commands == PSC_CLI_ALL_COMMANDS) != common)
			continue;
		len = fprintf(out, "  %s%s%s%s%s", letter ? letter : "   ", letter ? ", " : " ",
			      option->text, option->argument ? " " : "",
			      option->argument ? option->argument : "");
		print_row(out, len, word ? psc_cli_option_purpose(option, word->command) :
				    option->purpose);
	}
}

static void print_names_and_values(FILE *out)
{
	fputs("CGROUP: a path below /sys/fs/cgroup, or the name of a unit.\n"
	      "NAME, of which the last part is enough:\n", out);
	for (size_t i = 0; i < PSC_NAMES; i++)
		print_row(out, fprintf(out, "  %s", psc_names[i].name), psc_names[i].purpose);
	fputs(values, out);
}

static void print_all(FILE *out)
{
	fprintf(out, "Usage: ptracescopectl [OPTION]... COMMAND\n%s\nCommands:\n", about);
	print_commands(out, psc_cli_words);
	print_commands(out, psc_cli_cgroup_words);
	fputs("\nOptions:\n", out);
	print_options(out, NULL, true);
	fputs("\nOptions of some commands; see 'ptracescopectl COMMAND --help':\n", out);
	print_options(out, NULL, false);
	fputc('\n', out);
	print_names_and_values(out);
	fputs(exit_codes, out);
}

static void print_topic(FILE *out, const struct psc_cli_word *word)
{
	fprintf(out, "Usage: ptracescopectl %s%s [OPTION]...%s%s\n", group(word), word->word,
		*word->operands ? " " : "", word->operands);
	fprintf(out, "Purpose: %s.\n\n%s\nOptions:\n", word->purpose, word->details);
	print_options(out, word, false);
	print_options(out, word, true);
	fputs("\nptracescopectl(8) has the details; 'ptracescopectl --help' lists all commands, names "
	      "and\nvalues.\n", out);
}

void psc_help_print(FILE *out, const struct psc_cli *cli)
{
	if (cli->topic) {
		print_topic(out, cli->topic);
	} else if (cli->cgroup_topic) {
		fputs("Usage: ptracescopectl cgroup COMMAND [OPTION]...\n\nCommands:\n", out);
		print_commands(out, psc_cli_cgroup_words);
		fputs("\n'ptracescopectl cgroup COMMAND --help' explains one.\n\n", out);
		print_names_and_values(out);
	} else {
		print_all(out);
	}
}

/* Their names, separated by commas, in lines. Return: the column that is reached. */
static int print_names(FILE *out, const struct psc_cli_word *words, int column)
{
	for (; words->word; words++) {
		int len = (int)(strlen(group(words)) + strlen(words->word));

		if (column + len + 2 > WIDTH)
			column = fprintf(out, "\n ") - 1;
		column += fprintf(out, " %s%s%s", group(words), words->word, words[1].word ? "," : "");
	}
	return column;
}

void psc_help_overview(FILE *out)
{
	int column;

	fprintf(out, "Usage: ptracescopectl [OPTION]... COMMAND\n%s\n", about);
	column = print_names(out, psc_cli_words, fprintf(out, "Commands:"));
	fputc(',', out);
	print_names(out, psc_cli_cgroup_words, column + 1);
	fputs("\n'ptracescopectl --help' explains them all, 'ptracescopectl COMMAND --help' one.\n\n",
	      out);
}

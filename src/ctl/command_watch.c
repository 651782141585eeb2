/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl watch": refusals as they happen, one line each. */
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>

#include "call.h"
#include "client.h"
#include "show.h"
#include "util.h"

static const char method[] = PSC_METHOD("Watch");

/* A count of what is not shown, where there is one. */
static enum psc_cli_exit show_count(const struct psc_cli *cli, const json_t *reply, const char *key,
				    const char *text)
{
	json_int_t n = psc_show_number(reply, key);

	if (n <= 0)
		return PSC_EXIT_DONE;
	if (cli->json)
		return psc_print_json(json_pack("{s:I}", key, n));
	printf("%s: %" JSON_INTEGER_FORMAT "\n", text, n);
	return PSC_EXIT_DONE;
}

static enum psc_cli_exit show_reply(const struct psc_cli *cli, const json_t *reply)
{
	const json_t *refusals = json_object_get(reply, "refusals");
	enum psc_cli_exit code = PSC_EXIT_DONE;
	json_t *refusal;
	size_t i;

	if (!json_is_array(refusals))
		return psc_unexpected(method);
	json_array_foreach(refusals, i, refusal) {
		if (!cli->json && psc_show_refusal_line(stdout, refusal))
			return psc_unexpected(method);
		if (cli->json)
			code = psc_print_json(json_incref(refusal));
		if (code != PSC_EXIT_DONE)
			return code;
	}
	code = show_count(cli, reply, "lost", "refusals lost, as they were not read in time");
	if (code == PSC_EXIT_DONE)
		code = show_count(cli, reply, "suppressed",
				  "refusals of all users that were not reported one by one");
	/* Whatever ends this, what has been shown is shown as a whole. */
	if (code == PSC_EXIT_DONE && fflush(stdout))
		code = PSC_EXIT_FAILED;
	return code;
}

/* Wait for more. Where nobody reads what is printed, there is nothing left to do. */
static void wait_for_more(const struct psc_stream *stream)
{
	struct pollfd fds[] = { { .fd = stream->fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };

	if (poll(fds, ARRAY_SIZE(fds), -1) > 0 && (fds[1].revents & POLLERR))
		raise(SIGPIPE);
}

/* Takes over @answer. */
static enum psc_cli_exit follow(const struct psc_cli *cli, struct psc_stream *stream,
				struct psc_answer *answer)
{
	enum psc_cli_exit code = PSC_EXIT_DONE;
	bool continues = true;
	int err = 0;

	while (code == PSC_EXIT_DONE && continues) {
		if (err == -EAGAIN) {
			wait_for_more(stream);
		} else {
			continues = answer->continues;
			code = answer->error ? psc_refused(cli, answer) :
					       show_reply(cli, answer->parameters);
			psc_answer_free(answer);
		}
		if (code == PSC_EXIT_DONE && continues)
			err = psc_stream_next(stream, answer);
		if (err == -ECONNRESET)
			return psc_fail(PSC_EXIT_UNREACHABLE, "the daemon has hung up: it ends or is "
					"started anew, or others needed the place");
		if (err && err != -EAGAIN)
			return psc_no_answer(cli, err);
	}
	return code;
}

enum psc_cli_exit psc_command_watch(const struct psc_cli *cli)
{
	json_t *parameters = json_pack("{s:s*, s:s*, s:o*, s:o*}", "mode", cli->mode,
				       "cgroup", cli->cgroup,
				       "pid", cli->pid ? json_integer(cli->pid) : NULL,
				       "uid", cli->by_uid ? json_integer(cli->uid) : NULL);
	struct psc_stream stream;
	struct psc_answer answer;
	enum psc_cli_exit code;
	int err;

	/* As filters do, this ends with who reads from it. */
	signal(SIGPIPE, SIG_DFL);
	err = psc_stream_open(cli->socket, method, parameters, PSC_CLIENT_TIMEOUT_MS, &stream,
			      &answer);
	if (err)
		return psc_no_answer(cli, err);
	code = follow(cli, &stream, &answer);
	psc_stream_close(&stream);
	return code;
}

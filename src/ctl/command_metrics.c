/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ptracescopectl metrics": for Prometheus, as a file or by HTTP. */
#include "command.h"

#include <errno.h>

#include "call.h"
#include "http.h"
#include "util.h"

#define REQUEST_MS 5000
#define ANSWER_MS 3000

/* @ret: an allocation */
static enum psc_cli_exit get_text(const struct psc_cli *cli, bool openmetrics, char **ret)
{
	static const char method[] = PSC_METHOD("Metrics");
	json_t *reply = NULL;
	const char *text;
	enum psc_cli_exit code = psc_call(cli, method, openmetrics ?
					  json_pack("{s:b}", "openmetrics", 1) : json_object(),
					  &reply);

	if (code != PSC_EXIT_DONE)
		return code;
	text = json_string_value(json_object_get(reply, "text"));
	/* Lines of printable characters, and nothing for a terminal to obey. */
	for (const char *c = text; c && *c; c++)
		if ((*c < ' ' && *c != '\n') || *c == 0x7f)
			text = NULL;
	*ret = text ? strdup(text) : NULL;
	if (!*ret)
		code = psc_unexpected(method);
	json_decref(reply);
	return code;
}

/* One request on standard input, which a service manager has accepted. */
static enum psc_cli_exit answer_http(const struct psc_cli *cli)
{
	_cleanup_free_ char *text = NULL;
	struct psc_http_request request;
	int status, err = psc_http_read(STDIN_FILENO, REQUEST_MS, &request);

	if (err)		/* nobody to answer, and nothing that an administrator can do */
		return PSC_EXIT_DONE;
	status = request.status;
	if (status == 200 && get_text(cli, request.openmetrics, &text) != PSC_EXIT_DONE)
		status = 503;
	err = psc_http_answer(STDOUT_FILENO, &request, status, text, ANSWER_MS);
	return err == -ENOMEM ? psc_fail(PSC_EXIT_FAILED, "out of memory") : PSC_EXIT_DONE;
}

enum psc_cli_exit psc_command_metrics(const struct psc_cli *cli)
{
	_cleanup_free_ char *text = NULL;
	enum psc_cli_exit code;

	if (cli->http)
		return answer_http(cli);
	code = get_text(cli, cli->openmetrics, &text);
	if (code != PSC_EXIT_DONE)
		return code;
	if (cli->json)
		return psc_print_json(json_pack("{s:s}", "text", text));
	fputs(text, stdout);
	return PSC_EXIT_DONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ptracescoped: options, signals, the event loop. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <jansson.h>

#include "check.h"
#include "client.h"
#include "control.h"
#include "daemon.h"
#include "escape.h"
#include "interface.h"
#include "kernel.h"
#include "log.h"
#include "plan.h"
#include "prereq.h"
#include "util.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

enum {
	EXIT_USAGE = 2,
	EXIT_ADMIN = 3,
};

static const char help[] =
	"Usage: ptracescoped [OPTION]...\n"
	"Enforce ptrace_scope with BPF-LSM programs, and serve " PSC_SOCKET_PATH ".\n"
	"\n"
	"      --check              say whether this system can enforce, and what a reload\n"
	"                           would do with the configuration; change nothing\n"
	"      --relations-max N    room for N declared tracers (PR_SET_PTRACER), and for N\n"
	"                           tasks that floors of cgroups stick to;\n"
	"                           default: twice kernel.threads-max\n"
	"      --debug              say more\n"
	"  -h, --help               print this\n"
	"      --version            print the version\n"
	"\n"
	"Enforcement goes on when the daemon ends; `ptracescopectl detach` ends it.\n"
	"Exit codes: 0 done, 1 failed; of --check: a reload would be refused; 2 usage,\n"
	"3 an administrator must act first: a prerequisite is missing, or the pins are\n"
	"not ours.\n";

/* All that is printed. */
static int print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) ?
		psc_log_err(EXIT_FAILURE, "standard output: %s", strerror(errno)) : EXIT_SUCCESS;
}

static int usage(const char *before, const char *argument, const char *after)
{
	_cleanup_free_ char *shown = psc_escape(argument, strlen(argument), 128);

	return psc_log_err(EXIT_USAGE, "%s '%s'%s; see 'ptracescoped --help'", before,
			   shown ? shown : "?", after);
}

static int ask_ctl(void *data, struct psc_request *req)
{
	return psc_ctl_run(*(int *)data, req);
}

/* The global policy as the daemon tells everybody. Return: whether it did. */
static bool ask_daemon(union psc_policy *ret)
{
	struct psc_answer answer;
	bool good = true;

	if (psc_client_call(PSC_SOCKET_PATH, PSC_INTERFACE ".Status", json_object(),
			    PSC_CLIENT_TIMEOUT_MS, &answer))
		return false;
	for (unsigned int mode = 0; mode < PSC_MODE_SLOTS && good; mode++) {
		int scope, floor;

		good = !answer.error && json_unpack(answer.parameters, "{s:{s:{s:i, s:i}}}", "policy",
						    psc_mode_word(mode), "scope", &scope, "floor",
						    &floor) == 0;
		if (good) {
			ret->scope[mode] = (__u8)scope;
			ret->floor[mode] = (__u8)floor;
		}
	}
	psc_answer_free(&answer);
	return good;
}

/*
 * Files that others have closed to root are closed to the daemon, which has no such
 * capability in its unit.
 */
static void read_as_the_daemon(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	data[0].effective &= ~(1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH);
	syscall(SYS_capset, &header, data);
}

/* Compare the configuration with what is in force, of which not everybody may see all. */
static int check_config(void)
{
	_cleanup_close_ int ctl = bpf_obj_get(PSC_PIN_DIR "/psc_ctl");
	_cleanup_close_ int find = bpf_obj_get(PSC_PIN_DIR "/psc_find");
	/* For nothing but psc_find; the cgroups themselves are looked for in their directories. */
	struct psc_kernel kernel = { .fds = { [PSC_PIN_FIND] = find } };
	const struct psc_cgroups asked = { .kernel = &kernel, .root_fd = -1 };
	struct psc_request info = { .abi = PSC_ABI, .op = PSC_OP_INFO };
	union psc_policy policy;
	struct psc_cgroups cgroups;
	struct psc_check check = {
		.root = "", .cgroups = &cgroups, .asked = &asked, .out = stdout,
	};
	int err, open_err = ctl < 0 ? errno : 0;

	if (ctl >= 0 && !psc_ctl_run(ctl, &info)) {
		check.request = ask_ctl;
		check.data = &ctl;
		check.policy = &info.policy;
	} else if (ask_daemon(&policy)) {
		check.policy = &policy;
	} else if (open_err != ENOENT) {
		check.unseen = true;
		psc_warning("what is in force cannot be seen, so nothing is compared with it; try "
			    "as root");
	}
	read_as_the_daemon();
	psc_cgroups_open(&cgroups);
	err = psc_check_config(&check);
	psc_cgroups_close(&cgroups);
	return err;
}

static int check(void)
{
	struct psc_prereqs prereqs = {};
	int missing, err;

	missing = psc_prereq_check("", &prereqs);
	if (missing < 0)
		return psc_log_err(EXIT_FAILURE, "checking failed: %s", strerror(-missing));
	psc_prereq_print(&prereqs, stdout, psc_want_colour());
	psc_prereq_free(&prereqs);
	fflush(stdout);		/* before what is written to standard error */

	err = check_config();
	if (fflush(stdout) || ferror(stdout))
		return psc_log_err(EXIT_FAILURE, "standard output: %s", strerror(errno));
	if (missing)
		return EXIT_ADMIN;
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int parse_relations_max(const char *text, unsigned int *ret)
{
	if (!psc_parse_u32(text, ret) && *ret >= 1 && *ret <= PSC_RELATIONS_MAX)
		return 0;
	return usage("--relations-max:", text, " is no number from 1 to " STRING(PSC_RELATIONS_MAX));
}

int main(int argc, char **argv)
{
	enum { OPT_CHECK = 256, OPT_RELATIONS_MAX, OPT_DEBUG, OPT_VERSION };
	static const struct option options[] = {
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "relations-max", required_argument, NULL, OPT_RELATIONS_MAX },
		{ "debug", no_argument, NULL, OPT_DEBUG },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, OPT_VERSION },
		{},
	};
	unsigned int relations_max = 0;
	bool only_check = false;
	int opt, err;

	psc_occupy_standard_descriptors();
	psc_log_set_name("ptracescoped");
	opterr = 0;
	for (int at = 1; (opt = getopt_long(argc, argv, "+:h", options, NULL)) != -1; at = optind) {
		switch (opt) {
		case OPT_CHECK:
			only_check = true;
			break;
		case OPT_RELATIONS_MAX:
			if (parse_relations_max(optarg, &relations_max))
				return EXIT_USAGE;
			break;
		case OPT_DEBUG:
			psc_log_set_level(LOG_DEBUG);
			break;
		case 'h':
			return print(help);
		case OPT_VERSION:
			return print("ptracescoped " PSC_VERSION "\n");
		case ':':
			return usage("missing N after", argv[at], "");
		default:
			return usage(optopt >= OPT_CHECK || optopt == 'h' ? "unexpected value for option" :
				     "unknown option", argv[at], "");
		}
	}
	if (optind < argc)
		return usage("unexpected argument", argv[optind], "");
	if (only_check)
		return check();

	psc_log_set_name(NULL);		/* the journal has it */
	umask(077);
	err = psc_daemon_run(relations_max);
	/* What trying again will not cure. */
	if (err == -EOPNOTSUPP || err == -EUCLEAN || err == -EPROTO)
		return EXIT_ADMIN;
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

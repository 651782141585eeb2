/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctl.d as we read it, and as systemd reads it: generated configurations are given to
 * systemd-sysctl, on a kernel that has Yama, and what it writes to
 * /proc/sys/kernel/yama/ptrace_scope is compared with what psc_config_load() says.
 *
 * usage: sysctl_parity [SEED [CONFIGURATIONS]]
 *
 * vm: rootfs=systemd lsm=yama kernels=6.12
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan.h"
#include "ptracescope_policy.h"
#include "tap.h"
#include "util.h"
#include "yama.h"

#define YAMA "kernel.yama.ptrace_scope"
#define YAMA_FILE "/proc/sys/kernel/yama/ptrace_scope"
#define SYSTEMD_SYSCTL "/usr/lib/systemd/systemd-sysctl"
#define CONFIGURATIONS 240
#define DEFAULT_SEED 20251125

enum { UNSET = -1, REFUSED = -2 };

static const char *const dirs[] = {
	"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d",
};

/*
 * What we do otherwise, on purpose. In generated configurations such lines make ours only
 * never weaker than systemd's.
 */
static const struct {
	const char *text;
	int ours, systemd;	/* a value, or UNSET; ours also REFUSED */
	const char *reason;
} kept[] = {
	{ YAMA " = 4\n", REFUSED, UNSET, "a wrong value is an error, and not the kernel's default" },
	{ YAMA " = 2\n" YAMA " = 4\n", REFUSED, UNSET, "even where an earlier one was right" },
	{ YAMA " = 4\n" YAMA " = 2\n", REFUSED, 2, "or a later one is, as nobody knows what was meant" },
	{ YAMA " = restricted\n", REFUSED, UNSET, "a word is a wrong value in sysctl.d" },
	{ YAMA " 2\n", REFUSED, UNSET, "a line about the key without '=' is an error" },
	{ "-" YAMA " # no\nkernel.yama.* = 2\n", REFUSED, 2,
	  "an exclusion that is none, as something follows it, is an error" },
	{ YAMA " = 2\n-" YAMA " = 4\n", 2, UNSET, "a wrong value behind '-' keeps what was set before" },
	{ "kernel.yama.* = 4\n", REFUSED, UNSET, "a wrong value of a glob is an error" },
};

static uint64_t random_state;

static unsigned int below(unsigned int n)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(random_state >> 33) % n;
}

#define PICK(list) (list)[below(ARRAY_SIZE(list))]

/* Nothing that matches another sysctl, and no 3, which cannot be taken back. */
static const char *const keys[] = {
	YAMA, YAMA, YAMA, "kernel/yama/ptrace_scope", "/kernel/yama/ptrace_scope",
	"kernel//yama/./ptrace_scope", "kernel.yama/ptrace_scope", "kernel..yama.ptrace_scope",
	"kernel/yama.ptrace_scope", "kernel.yama.ptrace_scop", "kernel/../kernel/yama/ptrace_scope",
	"\v" YAMA, YAMA "\f", "kernel.{yama,x}.ptrace_scope", "Kernel.yama.ptrace_scope",
};

static const char *const globs[] = {
	"kernel.yama.*", "kernel/yama/*", "kernel.*.ptrace_scope", "kernel.yam?.ptrace_scope",
	"kernel.yam[ab].ptrace_scop?", "kernel.yam[!a].ptrace_scope", "kernel.yam[a.ptrace_scope",
	"kernel.yama.ptrace[_.]scope", "kernel/yama/ptrace[_.]scope", "kernel/*/ptrace.scope",
	"kernel.{yama,x}.ptrace_scop?", "kernel.{x,y}.ptrace_scop?", "kernel.{x,yama}.ptrace_*",
	"kernel/yam{a/ptrace_scop?,b}", "{kernel/yama,x}/ptrace{,_scop?}", "kernel.{yama.ptrace_scop?",
	"kernel.yama.ptrace_scop?{}", "kernel.yama.ptrace_sc[{o}]p?", "kernel.yama.ptrace_scop[{e]",
	"kernel.{x,y{a,b}ma}.ptrace_scop?", "kernel.\\{yama,x}.ptrace_scop?",
	"kernel/yama/ptrac\\e_scop?", "kernel.yama.ptrace_scope?",
};

static const char *const values[] = {
	"0", "1", "2", "0", "1", "2", "0", "1", "2", "0x2", "0X1", "02", "-0", "1 # x", "2\t3", " 1\t",
	"00000000000000000002", "\v1", "\f\xa0" "2", "0x0",
};

static const char *const wrong_values[] = {
	"4", "-1", "+1", "x", "", "restricted", "1.", "0b1", "\"1\"", "= 1", "1\v", "2\f", "08", "2#",
	"1,2", "000000000000000000002", "4294967297", "18446744073709551617", "1\x80",
};

static const char *const noise[] = {
	"# " YAMA " = 2", ";" YAMA " = 2", "", "  ", "garbage", "-", "=", "-kernel.yama", "kernel.yama",
	"net.psc_no_such_key = 1", "-kernel.yama.psc = 1", "\xef\xbb\xbf" YAMA " = 2", "- ", "[x]",
};

static const char *const ends[] = { "\n", "\n", "\n", "\r\n", "\r", "\n\n" };
static const char *const equals[] = { "=", " = ", "\t=\t", " =", "= " };
static const char *const names[] = {
	"10-a.conf", "20-b.conf", "50-c.conf", "a.conf", "Z.conf", "20-b", ".x.conf", "x.conf.bak",
};

/* Is one of the kept differences possible in it? */
static bool differs;

static size_t add_line(char *text, size_t size)
{
	const char *end = PICK(ends);
	int n;

	switch (below(12)) {
	case 0:
		n = snprintf(text, size, "%s%s", PICK(noise), end);
		break;
	case 1:
		n = snprintf(text, size, "-%s%s", below(2) ? PICK(keys) : PICK(globs), end);
		break;
	case 2:
		/* Wrong where it takes effect, and only then. */
		n = snprintf(text, size, "%s%s%s%s%s", below(2) ? "-" : "",
			     below(3) ? PICK(globs) : PICK(keys), PICK(equals), PICK(wrong_values), end);
		differs = true;
		break;
	case 3:
		n = snprintf(text, size, "%s%s%s", PICK(keys), below(2) ? " # x" : "", end);
		break;
	default:
		n = snprintf(text, size, "%s%s%s%s%s%s", below(8) ? "" : "  ", below(6) ? "" : "-",
			     below(5) > 2 ? PICK(globs) : PICK(keys), PICK(equals), PICK(values), end);
	}
	return (size_t)n;
}

static void write_file(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		bail(path);
}

/* A log of what the configuration is, for when it shows a difference. */
static char story[65536];

static void tell(const char *path, const char *text)
{
	size_t len = strlen(story);

	snprintf(story + len, sizeof(story) - len, "# %s: ", path);
	for (; *text && strlen(story) < sizeof(story) - 8; text++)
		snprintf(story + strlen(story), 8, *text >= ' ' && *text <= '~' ? "%c" : "\\x%02x",
			 (unsigned char)*text);
	strcat(story, "\n");
}

static void make_file(void)
{
	char path[128], text[1024] = "";
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/%s", PICK(dirs), PICK(names));
	unlink(path);
	if (!below(12)) {
		const char *target = below(2) ? "/dev/null" : "psc-no-such-file";

		if (symlink(target, path) < 0)
			bail(path);
		tell(path, target);
		return;
	}
	for (unsigned int lines = below(4); lines && len < sizeof(text) - 256; lines--)
		len += add_line(text + len, sizeof(text) - len);
	write_file(path, text);
	tell(path, text);
}

static void empty(void)
{
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			snprintf(path, sizeof(path), "%s/%s", dirs[i], names[k]);
			if (unlink(path) < 0 && errno != ENOENT)
				bail(path);
		}
	*story = '\0';
	differs = false;
}

/* A value, UNSET or REFUSED; and what a first start would put in force. */
static int read_ours(unsigned int *ret_scope)
{
	struct psc_config config;
	union psc_policy policy = {};
	struct psc_plan plan;
	char *error = NULL;
	const struct psc_setting *yama = &config.settings[psc_name_find(YAMA) - psc_names];
	int err = psc_plan_first("", &config, &plan, &error);
	int ret = err ? REFUSED : yama->present ? (int)yama->value : UNSET;

	psc_policy_change(&policy, &plan.request, NULL);
	*ret_scope = policy.scope[PSC_MODE_ATTACH];
	psc_config_free(&config);
	free(error);
	return ret;
}

static void set_yama(int value)
{
	const char text[] = { (char)('0' + value), '\n', '\0' };
	_cleanup_close_ int fd = open(YAMA_FILE, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, 2) != 2 || psc_yama_scope() != value)
		bail(YAMA_FILE);
}

static void run_systemd(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDERR_FILENO);
		dup2(null, STDOUT_FILENO);
		execl(SYSTEMD_SYSCTL, SYSTEMD_SYSCTL, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status) == 127)
		bail(SYSTEMD_SYSCTL);
}

/* What it leaves behind where @before was. */
static int run_from(int before)
{
	set_yama(before);
	run_systemd();
	return psc_yama_scope();
}

/* What systemd writes last, or UNSET, whatever was there before. */
static int read_systemd(void)
{
	int first = run_from(0);

	if (first)
		return first;
	return run_from(1) ? UNSET : 0;
}

static void test_kept(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		unsigned int scope;
		int ours, systemd;

		empty();
		write_file("/etc/sysctl.d/a.conf", kept[i].text);
		ours = read_ours(&scope);
		systemd = read_systemd();
		if (!ok(ours == kept[i].ours && systemd == kept[i].systemd, "kept: %s", kept[i].reason))
			printf("# ours %d, systemd's %d\n", ours, systemd);
	}
}

static void test_generated(unsigned int n)
{
	unsigned int same = 0, refused = 0, laxer = 0, different = 0, set = 0;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int scope;
		int ours, systemd;

		empty();
		for (unsigned int files = 1 + below(4); files; files--)
			make_file();
		ours = read_ours(&scope);
		/* One run will do: if it does not write what we say, the value is another one. */
		systemd = ours == REFUSED || differs ? read_systemd() :
			  ours == UNSET ? run_from((int)below(3)) : run_from((ours + 1) % 3);
		if (ours == REFUSED || differs) {
			refused++;
			if (systemd > (int)scope || (ours != REFUSED && ours == UNSET && systemd > 0)) {
				laxer++;
				printf("%s# ours %d (%u), systemd's %d\n", story, ours, scope, systemd);
			}
			continue;
		}
		same++;
		set += ours != UNSET;
		if (ours == UNSET ? run_from((systemd + 1) % 3) != (systemd + 1) % 3 : systemd != ours) {
			different++;
			printf("%s# ours %d, systemd's %d\n", story, ours, systemd);
		}
	}
	ok(same >= n / 2 && set >= n / 6 && refused >= n / 10,
	   "%u configurations: %u to be read alike, %u of them with a value, %u with errors", n, same,
	   set, refused);
	ok(!different, "those to be read alike are (%u are not)", different);
	ok(!laxer, "with errors, ours is never weaker (%u are)", laxer);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 2 ? (unsigned int)atoi(argv[2]) : CONFIGURATIONS;

	random_state = argc > 1 ? strtoull(argv[1], NULL, 10) : DEFAULT_SEED;
	printf("# seed %llu\n", (unsigned long long)random_state);
	/* Warnings about what is generated here are of no interest. */
	if (!freopen("/dev/null", "w", stderr))
		bail("/dev/null");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		bail("unshare");
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if ((mkdir(dirs[i], 0755) < 0 && errno != EEXIST) ||
		    mount("none", dirs[i], "tmpfs", 0, "mode=0755,size=1m") < 0)
			bail(dirs[i]);
	test_kept();
	test_generated(n);
	return finish();
}

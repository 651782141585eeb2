/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a child prepare the first floor, and tells who wants it when it can be set, and the end. */
#include "first.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "log.h"
#include "turn.h"
#include "util.h"

/* For the child of a daemon that was killed: ten seconds. */
#define AWAIT_TRIES 1000
#define AWAIT_NSEC (10 * 1000 * 1000)

/* From the child, besides lines of the log. */
struct armed_message {
	char mark;			/* '\0': no line begins with it */
	struct psc_arming arming;
};

static int parent_fd = -1;		/* in the child */

static void send_line(const char *line, size_t len)
{
	send(parent_fd, line, len, MSG_NOSIGNAL);
}

static void wait_for_request(const struct psc_arming *arming)
{
	struct armed_message message = { .arming = *arming };
	char none;

	send(parent_fd, &message, sizeof(message), MSG_NOSIGNAL);
	while (recv(parent_fd, &none, 1, 0) < 0 && errno == EINTR)
		;
}

/*
 * The child. It has no business with the descriptors that it shares with the daemon, and closes
 * them by ending: who closes the last copy of a client's socket may wait, but for who ends (see
 * hangup.h). The lock must be free as soon as the daemon has ended.
 */
static _Noreturn void arm_and_look(const struct psc_first *first, pid_t parent, int fd)
{
	struct psc_lock lock = PSC_LOCK_NONE;
	int err, mark;

	close(first->lock_fd);
	/* Until it has really ended: see psc_first_await(). */
	mark = open(first->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mark < 0 || flock(mark, LOCK_SH | LOCK_NB) < 0)
		_exit(EIO);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EIO);
	prctl(PR_SET_NAME, PSC_FIRST_NAME);
	parent_fd = fd;
	psc_log_set_sink(send_line);
	psc_ctl_hurry(false);
	err = psc_lock_begin(first->kernel, first->dir, &lock);
	if (!err)
		wait_for_request(&first->kernel->arming);
	psc_lock_end(first->kernel, first->dir, &lock);
	/* What the kernel answers may be no errno of user space. */
	_exit(-err > UINT8_MAX ? EIO : -err);
}

static void make_request(struct psc_first *first, const struct psc_arming *arming)
{
	first->armed = true;
	first->kernel->arming = *arming;
	first->user->armed(first->data);
	first->kernel->arming = (struct psc_arming){ 0 };
	shutdown(first->fd, SHUT_WR);
}

/* Take one message of the child's. Return: was there one? */
static bool receive(struct psc_first *first)
{
	union {
		struct armed_message armed;
		char line[4096];
	} message;
	ssize_t n = recv(first->fd, &message, sizeof(message), MSG_DONTWAIT);

	if (n <= 0)
		return false;
	if (message.armed.mark)
		psc_log_line(message.line, (size_t)n);
	else if (n == (ssize_t)sizeof(message.armed) && !first->armed && first->child)
		make_request(first, &message.armed.arming);
	return true;
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct psc_first *first = data;

	(void)fd;
	(void)revents;
	psc_turn_does("first floor");
	/* At the end of the messages the child's own end is waited for. */
	return receive(first) ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* The child is no more: what is left of its messages, and of what it did if it was killed. */
static void clear_up(struct psc_first *first, bool killed)
{
	first->child = sd_event_source_disable_unref(first->child);
	while (receive(first))
		;
	first->input = sd_event_source_disable_unref(first->input);
	close(first->fd);
	first->pid = 0;
	if (killed && psc_kernel_locked(first->kernel) == 0)
		psc_kernel_disarm(first->kernel, first->dir);
}

static int on_child(sd_event_source *source, const siginfo_t *si, void *data)
{
	struct psc_first *first = data;
	bool killed = si->si_code != CLD_EXITED;
	int err = killed ? -EBUSY : -si->si_status;

	(void)source;
	psc_turn_does("first floor");
	clear_up(first, killed);
	if (killed)
		psc_log(LOG_ERR, "%s, the process that looks around before the first floor, was "
			"killed (signal %d); try again", PSC_FIRST_NAME, si->si_status);
	first->user->ended(first->data, first->armed ? 0 : err);
	return 0;
}

static int watch(struct psc_first *first)
{
	int err = sd_event_add_child(first->event, &first->child, first->pid, WEXITED, on_child,
				     first);

	if (err >= 0)
		err = sd_event_add_io(first->event, &first->input, first->fd, EPOLLIN, on_input,
				      first);
	if (err < 0)
		psc_first_stop(first);
	return err < 0 ? err : 0;
}

int psc_first_begin(struct psc_first *first, const struct psc_first_user *user, void *data)
{
	pid_t self = getpid();
	int pair[2];

	if (first->pid)
		return -EALREADY;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	first->pid = fork();
	if (first->pid == 0) {
		close(pair[0]);
		arm_and_look(first, self, pair[1]);
	}
	close(pair[1]);
	if (first->pid < 0) {
		/* -EAGAIN would be taken for a policy that somebody else is changing. */
		int err = errno == EAGAIN ? -ENOMEM : -errno;

		close(pair[0]);
		first->pid = 0;
		return psc_log_err(err, "no process can be made that looks around before the first "
				   "floor: %s", strerror(-err));
	}
	first->fd = pair[0];
	first->armed = false;
	first->user = user;
	first->data = data;
	return watch(first);
}

void psc_first_stop(struct psc_first *first)
{
	pid_t pid = first->pid;

	if (!pid)
		return;
	first->child = sd_event_source_disable_unref(first->child);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	clear_up(first, true);
}

void psc_first_await(const char *dir)
{
	static const struct timespec pause = { .tv_nsec = AWAIT_NSEC };
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; fd >= 0 && i < AWAIT_TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
			return;
		nanosleep(&pause, NULL);
	}
	if (fd >= 0)
		psc_warning("%s: still locked, which the child of a daemon that was killed does "
			    "until it ends; if it leaves the guards armed: restart the daemon",
			    dir);
}

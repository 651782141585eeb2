/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report names command lines, and reading /proc/PID/cmdline touches that
 * process's memory: one that sits on a FUSE file or behind userfaultfd makes
 * the reader wait for as long as its owner likes. So a child does the reading,
 * with a deadline; after that the event is reported without it.
 */
#include "event_reader.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "journal_entry.h"
#include "log.h"
#include "turn.h"
#include "util.h"

#define DEADLINE_USEC (2 * 1000 * 1000ULL)
/*
 * Of one account, in one of many uids half of them for one uid, and of all: beyond, reports go out
 * without command lines.
 */
#define INQUIRIES_OF_ACCOUNT 8
#define INQUIRIES_MAX 64
/* A report is smaller than a pipe holds, so that the child never waits for us. */
#define ANSWER_MAX 32768
#define FORKS_MAX 4		/* in one turn of the loop */
#define PAUSE_USEC (100 * 1000ULL)

struct psc_event_reader {
	sd_event *event;
	struct psc_kernel *kernel;
	struct ring_buffer *ring;
	sd_event_source *ring_source;
	sd_event_source *resume;	/* armed while the ring is left alone */
	sd_event_source *window_end;	/* armed while refusals may be held back */
	__u64 told[PSC_STATS];		/* the counters, as far as they were reported */
	struct inquiry *inquiries;
	unsigned int n_inquiries;
	unsigned int n_stuck;		/* of these, past their deadline */
	unsigned int forks, events;	/* children begun, events found in this reading of the ring */
	const struct psc_listener *listener;	/* or NULL */
};

/* One event whose details a child is reading. */
struct inquiry {
	struct inquiry *next;
	struct psc_event_reader *reader;
	struct psc_event event;
	__u32 uid;			/* whose processes it is about */
	pid_t child;
	sd_event_source *child_source, *deadline;
	bool stuck;			/* killed, and not dead yet */
	int answer_fd;
};

static void report_without_proc(const struct psc_event *event)
{
	struct psc_journal_entry report = {};

	if (!psc_journal_format(event, sizeof(*event), NULL, &report))
		psc_journal_emit(&report);
	psc_journal_clear(&report);
}

static void inquiry_free(struct inquiry *inquiry)
{
	struct inquiry **link = &inquiry->reader->inquiries;

	while (*link != inquiry)
		link = &(*link)->next;
	*link = inquiry->next;
	inquiry->reader->n_inquiries--;
	inquiry->reader->n_stuck -= inquiry->stuck;
	sd_event_source_disable_unref(inquiry->child_source);
	sd_event_source_disable_unref(inquiry->deadline);
	psc_closep(&inquiry->answer_fd);
	free(inquiry);
}

/*
 * Whose fault is it when the child is stuck? Of two processes of different users that of the
 * one who has fewer rights: an administrator's is not held back by his own.
 */
static __u32 uid_of(const struct psc_event *event)
{
	return event->tracer.uid || event->mode == PSC_EVENT_TAMPER ? event->tracer.uid :
								      event->tracee.uid;
}

/* In the child: the fields of the report, each with a NUL behind it, in one write. */
static void __attribute__((noreturn)) answer(const struct psc_event *event, int fd, int gate_fd)
{
	struct psc_journal_entry report = {};
	char buf[ANSWER_MAX];
	size_t len = 0;

	/* Wait until the daemon watches this child: it can be killed and reaped here at once. */
	if (read(gate_fd, buf, 1) < 0)
		_exit(EXIT_FAILURE);
	/* Stuck here, it must not hold the lock and the sockets of a daemon that has ended. */
	if (dup2(fd, 0) < 0 || close_range(1, ~0U, 0) < 0 ||
	    psc_journal_format(event, sizeof(*event), "/proc", &report))
		_exit(EXIT_FAILURE);
	for (size_t i = 0; i < report.n; i++) {
		size_t size = strlen(report.fields[i]) + 1;

		if (size > sizeof(buf) - len)
			_exit(EXIT_FAILURE);
		memcpy(buf + len, report.fields[i], size);
		len += size;
	}
	_exit(write(0, buf, len) == (ssize_t)len ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Report what the child wrote; false when it is not a whole answer. */
static bool report_answer(int fd)
{
	struct psc_journal_entry report = {};
	char buf[ANSWER_MAX];
	ssize_t len = read(fd, buf, sizeof(buf));
	bool good = len > 0 && buf[len - 1] == '\0';

	for (ssize_t at = 0; good && at < len; at += (ssize_t)strlen(buf + at) + 1)
		good = psc_journal_add(&report, strdup(buf + at)) == 0;
	if (good)
		psc_journal_emit(&report);
	psc_journal_clear(&report);
	return good;
}

/* The child has ended, by itself or by its deadline. */
static int on_child(sd_event_source *source, const siginfo_t *si, void *data)
{
	struct inquiry *inquiry = data;
	bool answered = si->si_code == CLD_EXITED && si->si_status == EXIT_SUCCESS;

	psc_turn_does("report");
	(void)source;
	/* After the deadline it has been reported already. */
	if (inquiry->deadline && !(answered && report_answer(inquiry->answer_fd)))
		report_without_proc(&inquiry->event);
	inquiry_free(inquiry);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	struct inquiry *inquiry = data;

	psc_turn_does("report");
	(void)source;
	(void)usec;
	/* Reported now, since nothing says when the child will die. */
	kill(inquiry->child, SIGKILL);
	inquiry->deadline = sd_event_source_disable_unref(inquiry->deadline);
	inquiry->stuck = true;
	inquiry->reader->n_stuck++;
	report_without_proc(&inquiry->event);
	return 0;
}

unsigned int psc_event_reader_stuck(const struct psc_event_reader *reader, pid_t *ret_pid)
{
	const struct inquiry *inquiry = reader->inquiries;

	while (inquiry && !inquiry->stuck)
		inquiry = inquiry->next;
	*ret_pid = inquiry ? (pid_t)inquiry->event.tracee.pid : 0;
	return reader->n_stuck;
}

static bool too_many(const struct psc_event_reader *reader, __u32 uid)
{
	unsigned int n = 0, own = 0;

	for (const struct inquiry *i = reader->inquiries; i; i = i->next) {
		n += psc_account_of(i->uid) == psc_account_of(uid);
		own += i->uid == uid;
	}
	return n >= INQUIRIES_OF_ACCOUNT || reader->n_inquiries >= INQUIRIES_MAX ||
	       (uid >= PSC_CROWD_UIDS && own >= INQUIRIES_OF_ACCOUNT / 2);
}

/* Two pipes: for the answer, and one that opens the gate when its other end is closed. */
static int open_pipes(int fds[2], int gate[2])
{
	int err;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(gate, O_CLOEXEC) == 0)
		return 0;
	err = -errno;
	close(fds[0]);
	close(fds[1]);
	return err;
}

/* Fork the child, and watch it. Return: 0, or a negative errno and there is no child. */
static int start_child(struct inquiry *inquiry, int answer_fd, const int gate[2])
{
	sd_event *event = inquiry->reader->event;
	int err;

	inquiry->child = fork();
	if (inquiry->child == 0) {
		close(gate[1]);
		answer(&inquiry->event, answer_fd, gate[0]);
	}
	if (inquiry->child < 0)
		return -errno;
	err = sd_event_add_child(event, &inquiry->child_source, inquiry->child, WEXITED, on_child,
				 inquiry);
	if (err >= 0)
		err = sd_event_add_time_relative(event, &inquiry->deadline, CLOCK_MONOTONIC,
						 DEADLINE_USEC, 0, on_deadline, inquiry);
	if (err >= 0)
		return 0;
	kill(inquiry->child, SIGKILL);
	waitpid(inquiry->child, NULL, 0);
	return err;
}

/* Have a child read the details. Return: 0 or a negative errno. */
static int inquire(struct psc_event_reader *reader, const struct psc_event *event)
{
	__u32 uid = uid_of(event);
	struct inquiry *inquiry;
	int fds[2], gate[2], err;

	if (too_many(reader, uid))
		return -EBUSY;
	inquiry = calloc(1, sizeof(*inquiry));
	if (!inquiry)
		return -ENOMEM;
	err = open_pipes(fds, gate);
	if (err) {
		free(inquiry);
		return err;
	}
	*inquiry = (struct inquiry){
		.reader = reader, .event = *event, .uid = uid, .answer_fd = fds[0],
		.next = reader->inquiries,
	};
	reader->inquiries = inquiry;
	reader->n_inquiries++;
	err = start_child(inquiry, fds[1], gate);
	close(fds[1]);
	close(gate[0]);
	close(gate[1]);		/* which lets it begin */
	if (err)
		inquiry_free(inquiry);
	return err;
}

static int arm_window_end(struct psc_event_reader *reader)
{
	int err = sd_event_source_set_time_relative(reader->window_end,
						    PSC_EVENT_WINDOW_NS / 1000);

	return err < 0 ? err : sd_event_source_set_enabled(reader->window_end, SD_EVENT_ONESHOT);
}

/* Tell what was held back, once the window in which it was held back is over. */
static int on_window_end(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_event_reader *reader = data;
	__u64 stats[PSC_STATS], suppressed, dropped;

	psc_turn_does("report");
	(void)source;
	(void)usec;
	if (psc_kernel_stats(reader->kernel, stats))
		return 0;
	suppressed = stats[PSC_STAT_SUPPRESSED] - reader->told[PSC_STAT_SUPPRESSED];
	dropped = stats[PSC_STAT_DROPPED] - reader->told[PSC_STAT_DROPPED];
	memcpy(reader->told, stats, sizeof(stats));
	if (!suppressed && !dropped)
		return 0;
	psc_journal_suppressed(suppressed, dropped);
	if (reader->listener)
		reader->listener->suppressed(reader->listener->data, suppressed + dropped);
	/* It may go on, and our window is not the kernel's. */
	return arm_window_end(reader);
}

/* What a turn has no time for is read in the next one. */
static int on_event(void *data, void *bytes, size_t size)
{
	struct psc_event_reader *reader = data;
	int enabled = SD_EVENT_OFF;
	struct psc_event event;

	if (size == sizeof(event)) {
		reader->events++;
		memcpy(&event, bytes, sizeof(event));
		if (reader->listener)
			reader->listener->event(reader->listener->data, &event);
		if (inquire(reader, &event))
			report_without_proc(&event);
		else
			reader->forks++;
	}
	sd_event_source_get_enabled(reader->window_end, &enabled);
	if (enabled == SD_EVENT_OFF)
		arm_window_end(reader);
	return reader->forks < FORKS_MAX && !psc_turn_spent() ? 0 : -EAGAIN;
}

static int on_ring(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct psc_event_reader *reader = data;

	psc_turn_does("report");
	(void)fd;
	(void)revents;
	reader->forks = reader->events = 0;
	ring_buffer__consume(reader->ring);
	/* Readable, but without an event: root has moved its position. Others have their turns. */
	if (!reader->events && sd_event_source_set_time_relative(reader->resume, PAUSE_USEC) >= 0 &&
	    sd_event_source_set_enabled(reader->resume, SD_EVENT_ONESHOT) >= 0)
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static int on_resume(sd_event_source *source, uint64_t usec, void *data)
{
	struct psc_event_reader *reader = data;

	(void)source;
	(void)usec;
	return sd_event_source_set_enabled(reader->ring_source, SD_EVENT_ON);
}

int psc_event_reader_new(sd_event *event, struct psc_kernel *kernel, struct psc_event_reader **ret)
{
	struct psc_event_reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader)
		return -ENOMEM;
	reader->event = sd_event_ref(event);
	reader->kernel = kernel;
	err = psc_kernel_stats(kernel, reader->told);
	if (!err) {
		reader->ring = ring_buffer__new(kernel->fds[PSC_PIN_EVENTS], on_event, reader,
						  NULL);
		err = reader->ring ? 0 : -errno;
	}
	if (!err)
		err = sd_event_add_time_relative(event, &reader->window_end, CLOCK_MONOTONIC, 0,
						 0, on_window_end, reader);
	if (err >= 0)
		err = sd_event_source_set_enabled(reader->window_end, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_time_relative(event, &reader->resume, CLOCK_MONOTONIC, 0, 0,
						 on_resume, reader);
	if (err >= 0)
		err = sd_event_source_set_enabled(reader->resume, SD_EVENT_OFF);
	if (err >= 0)
		err = sd_event_add_io(event, &reader->ring_source,
				      ring_buffer__epoll_fd(reader->ring), EPOLLIN, on_ring,
				      reader);
	if (err < 0) {
		psc_event_reader_free(reader);
		return err;
	}
	*ret = reader;
	return 0;
}

void psc_event_reader_listen(struct psc_event_reader *reader, const struct psc_listener *listener)
{
	reader->listener = listener;
}

void psc_event_reader_free(struct psc_event_reader *reader)
{
	if (!reader)
		return;
	/* Nobody waits for them: they may be stuck, and are init's when we have ended. */
	while (reader->inquiries) {
		kill(reader->inquiries->child, SIGKILL);
		inquiry_free(reader->inquiries);
	}
	sd_event_source_disable_unref(reader->ring_source);
	sd_event_source_disable_unref(reader->window_end);
	sd_event_source_disable_unref(reader->resume);
	ring_buffer__free(reader->ring);
	sd_event_unref(reader->event);
	free(reader);
}

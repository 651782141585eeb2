/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program on the root cgroup that nobody may hold, and by which it can be detached again. */
#ifndef PSC_HANDLE_H
#define PSC_HANDLE_H

#include <linux/bpf.h>

struct bpf_program;

struct psc_handle {
	int fd;			/* of the program; -1 once let go */
	int pin_fd;		/* of its pin, with O_PATH: while this is open the pin counts */
	__u32 id;
};

#define PSC_HANDLE_NONE { .fd = -1, .pin_fd = -1 }

/* Of a program with a handle: the pin, and where it is attached. */
#define PSC_HANDLE_REFERENCES 2

__u32 psc_prog_id(int prog_fd);

/* Keep the descriptor of a loaded program. Return: 0 or a negative errno. */
int psc_handle_take(struct psc_handle *handle, const struct bpf_program *prog);

/*
 * Give the program a pin, before the guards are armed. By the path, who comes after us finds
 * what we have left behind. Return: 0, -EUCLEAN if another file is there, or another errno.
 */
int psc_handle_pin(struct psc_handle *handle, const char *path);

/* Close the program itself: who has come to the same open file shows from now on. */
void psc_handle_let_go(struct psc_handle *handle);

/* Detach it; the guards have been disarmed. Return: 0 or a negative errno. */
int psc_handle_detach(const struct psc_handle *handle, int cgroup_fd, enum bpf_attach_type type);

void psc_handle_close(struct psc_handle *handle);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Varlink protocol (https://varlink.org): one message in, one reply out.
 * No sockets here, and nothing that knows what this service is for.
 */
#ifndef PSC_VARLINK_H
#define PSC_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Of a call that takes more than one turn of the loop: what a method that has returned
 * -EINPROGRESS or -EAGAIN finds when it is run again, or what it calls does.
 */
struct psc_pending {
	void *data;		/* NULL: nothing */
	void (*free)(void *data);	/* may be NULL */
	bool (*is_due)(void *data);	/* after -EAGAIN: is it to be run again? NULL: yes */
};

/* The task that connected, as it was then. */
struct psc_client {
	pid_t pid;
	uid_t uid;
	uid_t account;	/* whose share of the places it takes, psc_account_of() */
	bool capable;	/* CAP_SYS_PTRACE in the initial user namespace */
	struct psc_pending *pending;	/* of the call being answered; NULL: it must be now */
	struct psc_pending *change;	/* the same, of what it changes */
};

struct psc_varlink_service;
struct psc_varlink_method;

/* A call that is being answered. */
struct psc_varlink_call {
	const struct psc_varlink_service *service;
	const struct psc_varlink_method *method;
	const struct psc_client *client;
	bool more;		/* called with "more": several replies are welcome */
	json_t *parameters;	/* an object with the declared fields and types, and no others */
	json_t *reply;
};

#define PSC_VARLINK_PARAMETERS_MAX 7

/* Of a method with "streams": this is not the last reply. */
#define PSC_VARLINK_CONTINUES 1

struct psc_varlink_parameter {
	const char *name;	/* NULL ends the list */
	json_type type;		/* JSON_TRUE stands for both booleans */
	bool optional;		/* "?" in the description: it may be absent, or null */
};

struct psc_varlink_method {
	const char *name;	/* without the interface */
	bool privileged;	/* ask the interface's authorise() first */
	/* Answer with one of the functions below. 0; PSC_VARLINK_CONTINUES: run it again for
	 * the next reply; -EINPROGRESS: run it again in the loop's next turn; -EAGAIN: later,
	 * psc_server_wake(); or another negative errno when no answer could be made (out of
	 * memory): the connection ends then. */
	int (*run)(struct psc_varlink_call *call);
	struct psc_varlink_parameter parameters[PSC_VARLINK_PARAMETERS_MAX + 1];
	bool streams;		/* to be called with "more" */
};

struct psc_varlink_interface {
	const char *name;
	const char *description;	/* in the Varlink interface definition language */
	const struct psc_varlink_method *methods;
	size_t n_methods;
	/* May the client call a privileged method? 1, or what answering "no" returned. */
	int (*authorise)(struct psc_varlink_call *call);
};

#define PSC_VARLINK_INTERFACES_MAX 4

struct psc_varlink_service {
	const char *vendor;
	const char *product;
	const char *version;
	const char *url;
	/* org.varlink.service comes by itself, as psc_varlink_introspection. */
	const struct psc_varlink_interface *interfaces[PSC_VARLINK_INTERFACES_MAX];
	void *data;			/* the methods' own */
};

extern const struct psc_varlink_interface psc_varlink_introspection;

/**
 * psc_varlink_handle - answer one message
 * @message, @len: without the final NUL, untrusted
 * @ret_reply: the reply message, or NULL where there must be none (a oneway
 *	call); set on success and on -EBADMSG
 *
 * Return: 0; PSC_VARLINK_CONTINUES: call again with the same for the next reply;
 * -EINPROGRESS: call again with the same in the loop's next turn; -EAGAIN: later; -EBADMSG when
 * that was no Varlink call and the connection should end after the reply; or another negative
 * errno: end it at once.
 */
int psc_varlink_handle(const struct psc_varlink_service *service, const struct psc_client *client,
		       const char *message, size_t len, json_t **ret_reply);

/* Answer with @parameters, an object that is taken over; NULL means out of memory. */
int psc_varlink_reply(struct psc_varlink_call *call, json_t *parameters);

/* Answer with @error ("io.example.Error") and its parameters, as psc_varlink_reply(). */
int psc_varlink_error(struct psc_varlink_call *call, const char *error, json_t *parameters);

/* org.varlink.service.InvalidParameter, naming @parameter. */
int psc_varlink_invalid(struct psc_varlink_call *call, const char *parameter);

#endif

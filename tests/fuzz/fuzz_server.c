/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server: clients that come, send pieces, read, stop reading and go, in any order. Each
 * byte is an action of one of eight clients. What clients hold is bounded, and the server
 * answers somebody new at any time.
 */
#include "fuzz.h"

#include "socket_client.h"
#include "watch.h"

#define CLIENTS 8
#define ADMINISTRATORS 1		/* with the one that asks in the end, as many as have places of their own */
#define PIECES 9

static const struct psc_server_limits small = {
	.message_max = 512, .connections_max = 6, .connections_kept = 2, .per_account_max = 3,
	.memory_max = 64 * 1024, .stall_usec = 3600ULL * 1000 * 1000,
};

#define WATCH(parameters) "{\"method\":\"io.ptracescope.Watch\",\"more\":true,\"parameters\":{" \
	parameters "}}"

static const struct {
	const char *bytes;
	size_t len;
} pieces[PIECES] = {
#define PIECE(text) { text, sizeof(text) - 1 }
	PIECE(GET_YAMA "\0"),
	PIECE(OURS("List", "") "\0" OURS("Status", "") "\0"),
	PIECE("{\"method\":\"io.ptracescope."),
	PIECE("Get\",\"parameters\":{\"name\":" YAMA "}}\0"),
	PIECE("\0"),
	PIECE("                                                                "),
	PIECE(OURS("Metrics", "") "\0"),
	PIECE(WATCH("") "\0"),
	PIECE(WATCH("\"mode\":\"attach\",\"pid\":7,\"uid\":1") "\0" WATCH("\"cgroup\":\"x\"") "\0"),
};

static struct service service;
static int clients[CLIENTS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	psc_log_set_level(-1);
	return 0;
}

static void hang_up(int *client)
{
	if (*client >= 0)
		close(*client);
	*client = -1;
}

/* The server asks who it is when it accepts. Administrators, of account 0, are few. */
static void come(int *client, unsigned int account)
{
	hang_up(client);
	if (account == 0)
		spin(&service);
	service.fake.account = account;
	service.fake.capable = account == 0;
	*client = open_client(&service);
	if (account == 0) {
		spin(&service);
		service.fake.account = 1;
		service.fake.capable = 0;
	}
}

/* The server may have hung up, and takes no more than it has room for. */
static void send_piece(int *client, unsigned int piece)
{
	if (send(*client, pieces[piece].bytes, pieces[piece].len, MSG_NOSIGNAL) < 0)
		CHECK(errno == EAGAIN || errno == EPIPE || errno == ECONNRESET);
}

static void receive(int *client)
{
	char buffer[4096];
	ssize_t n = recv(*client, buffer, sizeof(buffer), 0);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		hang_up(client);
}

/* More than a queue has room for, of the account, and of others one that nobody was told of. */
static void refuse(unsigned int account)
{
	const struct psc_event event = {
		.size = sizeof(event), .mode = PSC_MODE_ATTACH, .scope = 1,
		.tracer = { .pid = 7, .uid = account, .comm = "peek" },
		.tracee = { .pid = 8, .uid = account, .comm = "sleep" },
	};
	bool due = false;

	for (int i = 0; i < PSC_WATCH_QUEUE + 8; i++)
		due = psc_watchers_tell(&service.fake.watchers, &event) || due;
	if (psc_watchers_tell_suppressed(&service.fake.watchers, account) || due)
		psc_control_wake(service.control);
}

static void act(uint8_t byte)
{
	int *client = &clients[byte % CLIENTS];
	const unsigned int action = byte / CLIENTS;

	if (action < 4)
		come(client, byte % CLIENTS < ADMINISTRATORS ? action : 1 + action % 3);
	else if (action == 4)
		hang_up(client);
	else if (*client < 0)
		come(client, 1);
	else if (action < 5 + PIECES)
		send_piece(client, action - 5);
	else if (action < 16)
		receive(client);
	else if (action < 18)
		shutdown(*client, action == 16 ? SHUT_WR : SHUT_RD);
	else if (action < 28)
		spin(&service);
	else
		refuse(action - 28);
}

/* Whatever the others do, an administrator is answered. */
static void check_answer(void)
{
	int client = -1;

	spin(&service);
	come(&client, 0);
	spin(&service);
	put_message(client, GET_YAMA);
	spin(&service);
	expect_json(client, REPLY("\"value\":0"));
	hang_up(&client);
	spin(&service);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned int descriptors = count_descriptors();

	service_start(&service, &small);
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = -1;
	for (size_t i = 0; i < size && i < 512; i++)
		act(data[i]);
	check_answer();
	/* Those of clients, of their connections, and the loop's own. */
	CHECK(count_descriptors() <= descriptors + CLIENTS + small.connections_max + 8);
	for (int i = 0; i < CLIENTS; i++)
		hang_up(&clients[i]);
	spin(&service);
	CHECK(!service.fake.watchers.first);
	service_stop(&service);
	CHECK(count_descriptors() == descriptors);
	return 0;
}

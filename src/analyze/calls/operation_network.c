/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums by connection (see operation_sums.h): also of those that never came about, and of each peer
 * of a socket that has none of its own. */
#include <string.h>

#include "analyze/calls/operation_parts.h"
#include "model/errno_names.h"

/* As Linux numbers them. */
enum {
	LINUX_SOL_SOCKET = 1,
	LINUX_SO_ERROR = 4,
};

static struct network_sum *connection_of(
	struct operation_sums *s, const struct syscalls_call *call, const struct fd_followed *known)
{
	struct operation_path key;
	struct network_sum *sum;
	char text[OPERATION_PATH];

	fd_followed_connection(known, text, sizeof(text));
	operation_path_key(s, call, &key, span_of(text, strlen(text)));
	sum = map_put(&s->connections, &key, NULL);
	if (sum)
		memcpy(sum->peer, known->peer, sizeof(sum->peer));
	return sum;
}

/* --- moving bytes --- */

/* A stream goes to its connected peer, whatever a call names. */
static void take_named_peer(const struct syscalls_call *call, struct fd_followed *socket)
{
	bool is_stream = !strncmp(socket->protocol, "TCP", 3) && *socket->peer;
	char address[FD_FOLLOW_ADDRESS];

	if (!is_stream && call_named_peer(call, address, sizeof(address)))
		memcpy(socket->peer, address, sizeof(address));
}

void operation_add_socket(struct operation_sums *s, const struct folded_call *c,
	const struct fd_followed *known, bool is_write)
{
	struct fd_followed socket = *known;
	struct network_sum *sum;

	take_named_peer(c->call, &socket);
	sum = connection_of(s, c->call, &socket);
	if (!sum)
		return;
	*(is_write ? &sum->sent_bytes : &sum->received_bytes) += c->bytes;
	*(is_write ? &sum->sends : &sum->receives) += 1;
	sum->errors += c->is_error && c->error != LINUX_EAGAIN;
	operation_add_time(&sum->times, c->call);
}

/* --- connecting --- */

/* Under way, or there already: what became of it shows later. */
static bool is_undecided(unsigned error)
{
	return error == LINUX_EINPROGRESS || error == LINUX_EALREADY || error == LINUX_EINTR ||
	       error == LINUX_EISCONN ||
	       (error >= LINUX_ERESTARTSYS && error <= LINUX_ERESTARTSYS + 4);
}

void operation_add_connect(struct operation_sums *s, const struct folded_call *c)
{
	struct fd_followed socket = c->file ? *c->file : (struct fd_followed){ 0 };
	struct call_piece piece = call_piece(c->call, 1, SYSCALLS_PART_TARGET);
	bool is_error = c->is_error && !is_undecided(c->error);
	char address[FD_FOLLOW_ADDRESS];
	struct network_sum *sum;

	if (!piece.is_there || !call_address(piece.bytes, address, sizeof(address)) || !*address)
		return;
	/* These send nothing and reach no peer: resolvers only ask for a route. */
	if (!is_error &&
		(!strncmp(socket.protocol, "UDP", 3) || !strncmp(socket.protocol, "RAW", 3)))
		return;
	memcpy(socket.peer, address, sizeof(address));
	if (!c->is_error || c->error == LINUX_EINPROGRESS)
		call_near_end(c->call, socket.local, sizeof(socket.local));
	sum = connection_of(s, c->call, &socket);
	if (!sum)
		return;
	sum->connects++;
	sum->errors += is_error;
	operation_add_time(&sum->times, c->call);
}

void operation_add_answer(struct operation_sums *s, const struct folded_call *c)
{
	struct call_piece value = call_piece(c->call, 3, SYSCALLS_PART_TARGET);
	struct network_sum *sum;
	uint32_t error;

	if (!c->file || c->is_error || c->call->arguments[1] != LINUX_SOL_SOCKET ||
		c->call->arguments[2] != LINUX_SO_ERROR || value.bytes.size < sizeof(error))
		return;
	memcpy(&error, value.bytes.data, sizeof(error));
	sum = error ? connection_of(s, c->call, c->file) : NULL;
	if (sum)
		sum->errors++;
}

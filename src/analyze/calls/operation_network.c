/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums by connection (see operation_sums.h): also of those that never came about, and of each peer
 * of a socket that has none of its own. */
#include <string.h>

#include "analyze/calls/operation_parts.h"
#include "bpf/aggregate.h"
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

/* A stream goes to whom it is connected to, whatever a call names. */
static void take_named_peer(const struct syscalls_call *call, struct fd_followed *socket)
{
	bool is_stream = !strncmp(socket->protocol, "TCP", 3) && *socket->peer;
	char address[FD_FOLLOW_ADDRESS];

	if (!is_stream && call_named_peer(call, address, sizeof(address)))
		memcpy(socket->peer, address, sizeof(address));
}

void operation_add_socket(struct operation_sums *s, const struct syscalls_call *call,
	const struct fd_followed *known, uint64_t bytes, bool is_write)
{
	bool is_error = aggregate_is_error(call->result);
	struct fd_followed socket = *known;
	struct network_sum *sum;

	take_named_peer(call, &socket);
	sum = connection_of(s, call, &socket);
	if (!sum)
		return;
	*(is_write ? &sum->sent_bytes : &sum->received_bytes) += bytes;
	*(is_write ? &sum->sends : &sum->receives) += 1;
	sum->errors += is_error && call->result != -LINUX_EAGAIN;
	operation_add_time(&sum->times, call);
}

/* --- connecting --- */

/* Under way, or there already: what became of it shows later. */
static bool is_undecided(int64_t result)
{
	return result == -LINUX_EINPROGRESS || result == -LINUX_EALREADY ||
	       result == -LINUX_EINTR || result == -LINUX_EISCONN ||
	       (result <= -LINUX_ERESTARTSYS && result >= -LINUX_ERESTARTSYS - 4);
}

void operation_add_connect(
	struct operation_sums *s, const struct fd_follow *fds, const struct syscalls_call *call)
{
	struct process_id id = process_id_of(&call->record);
	const struct fd_followed *known = fd_follow_get(fds, &id, call_int(call->arguments[0]));
	struct fd_followed socket = known ? *known : (struct fd_followed){ 0 };
	struct call_piece piece = call_piece(call, 1, SYSCALLS_PART_TARGET);
	bool is_error = aggregate_is_error(call->result) && !is_undecided(call->result);
	char address[FD_FOLLOW_ADDRESS];
	struct network_sum *sum;

	if (!piece.is_there || !call_address(piece.bytes, address, sizeof(address)) || !*address)
		return;
	/* Of these it sends nothing, and reaches nobody: resolvers only ask for a route. */
	if (!is_error &&
		(!strncmp(socket.protocol, "UDP", 3) || !strncmp(socket.protocol, "RAW", 3)))
		return;
	memcpy(socket.peer, address, sizeof(address));
	if (call_succeeded(call) || call->result == -LINUX_EINPROGRESS)
		call_near_end(call, socket.local, sizeof(socket.local));
	sum = connection_of(s, call, &socket);
	if (!sum)
		return;
	sum->connects++;
	sum->errors += is_error;
	operation_add_time(&sum->times, call);
}

void operation_add_answer(
	struct operation_sums *s, const struct fd_follow *fds, const struct syscalls_call *call)
{
	struct process_id id = process_id_of(&call->record);
	const struct fd_followed *known = fd_follow_get(fds, &id, call_int(call->arguments[0]));
	struct call_piece value = call_piece(call, 3, SYSCALLS_PART_TARGET);
	struct network_sum *sum;
	uint32_t error;

	if (!known || !call_succeeded(call) || call->arguments[1] != LINUX_SOL_SOCKET ||
		call->arguments[2] != LINUX_SO_ERROR || value.bytes.size < sizeof(error))
		return;
	memcpy(&error, value.bytes.data, sizeof(error));
	sum = error ? connection_of(s, call, known) : NULL;
	if (sum)
		sum->errors++;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/calls/call_pieces.h"

#include <assert.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "bpf/aggregate.h"

#define FAMILY_UNIX  1 /* Linux value */
#define FAMILY_INET  2
#define FAMILY_INET6 10

static struct span pieces_of(const struct syscalls_call *call)
{
	if (!record_holds(&call->record, sizeof(*call)))
		return span_of("", 0);
	return record_text(&call->record, &call->pieces);
}

struct call_piece call_piece(
	const struct syscalls_call *call, size_t argument, enum syscalls_piece_part part)
{
	struct span all = pieces_of(call);
	size_t at = 0;

	while (all.size - at >= sizeof(struct syscalls_piece)) {
		struct syscalls_piece head;
		size_t left = all.size - at - sizeof(head);

		memcpy(&head, all.data + at, sizeof(head));
		if (head.size > left)
			break;
		if (head.argument == argument && head.part == part)
			return (struct call_piece){ true, head.state,
				span_of(all.data + at + sizeof(head), head.size) };
		at += sizeof(head) + ((head.size + 7) & ~(size_t)7);
		if (at > all.size)
			break;
	}
	return (struct call_piece){ 0 };
}

struct call_piece call_piece_of_any(const struct syscalls_call *call, enum syscalls_piece_part part)
{
	assert(call);
	for (size_t i = 0; i < ARRAY_SIZE(call->arguments); i++) {
		struct call_piece piece = call_piece(call, i, part);

		if (piece.is_there)
			return piece;
	}
	return (struct call_piece){ 0 };
}

unsigned call_http_status(const struct syscalls_call *call)
{
	assert(call);
	for (size_t i = 0; i < ARRAY_SIZE(call->arguments); i++) {
		struct call_piece piece = call_piece(call, i, SYSCALLS_PART_STATUS);
		uint64_t status;

		if (piece.is_there && piece.bytes.size == SYSCALLS_STATUS_DIGITS &&
			span_decimal(piece.bytes, &status))
			return (unsigned)status;
	}
	return 0;
}

bool call_database_error(const struct syscalls_call *call, struct syscalls_database_error *error)
{
	struct call_piece piece = call_piece_of_any(call, SYSCALLS_PART_DATABASE_ERROR);

	if (!piece.is_there || piece.bytes.size != sizeof(*error))
		return false;
	memcpy(error, piece.bytes.data, sizeof(*error));
	/* The code comes from the server, or is other data that looks like a code: it must be one
	 * word. */
	for (size_t i = 0; i < sizeof(error->code) && error->code[i]; i++) {
		if (!isalnum((unsigned char)error->code[i]))
			return false;
	}
	return error->database < SYSCALLS_DATABASES;
}

struct call_piece call_path(const struct syscalls_call *call, size_t argument)
{
	assert(call);

	struct call_piece piece = call_piece(call, argument, SYSCALLS_PART_TARGET);

	if (piece.is_there) {
		/* A path is shorter than its bytes if a secret in it was masked. */
		piece.bytes.size = strnlen(piece.bytes.data, piece.bytes.size);
		return piece;
	}
	if (call->path_argument != argument + 1)
		return piece;
	return (struct call_piece){ true,
		record_has_text(&call->record, &call->path)
			? call->path_state
			: SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		record_text(&call->record, &call->path) };
}

int64_t call_int(uint64_t argument)
{
	return (int32_t)argument;
}

bool call_socket_error(const struct syscalls_call *call, uint32_t *error)
{
	enum { LEVEL_SOCKET = 1, OPTION_ERROR = 4 }; /* Linux values */
	struct call_piece value = call_piece(call, 3, SYSCALLS_PART_TARGET);

	if (!call_succeeded(call) || call->arguments[1] != LEVEL_SOCKET ||
		call->arguments[2] != OPTION_ERROR || value.bytes.size < sizeof(*error))
		return false;
	memcpy(error, value.bytes.data, sizeof(*error));
	return true;
}

bool call_is_timed(const struct syscalls_call *call)
{
	assert(call);
	return call->duration_state == SOOTH_STATE_VALUE;
}

bool call_succeeded(const struct syscalls_call *call)
{
	return call->result_state == SOOTH_STATE_VALUE && !aggregate_is_error(call->result);
}

/* --- addresses --- */

static unsigned port_of(const unsigned char *bytes)
{
	return (unsigned)bytes[2] << 8 | bytes[3];
}

static bool inet_address(const unsigned char *bytes, size_t have, char *out, size_t size)
{
	char text[INET_ADDRSTRLEN];

	if (have < 8 || !inet_ntop(AF_INET, bytes + 4, text, sizeof(text)))
		return false;
	snprintf(out, size, "%s:%u", text, port_of(bytes));
	return true;
}

static bool inet6_address(const unsigned char *bytes, size_t have, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	uint32_t scope = 0; /* older structs end before this member */

	if (have < 24 || !inet_ntop(AF_INET6, bytes + 8, text, sizeof(text)))
		return false;
	if (have >= 28)
		memcpy(&scope, bytes + 24, sizeof(scope));
	if (scope)
		snprintf(out, size, "[%s%%%" PRIu32 "]:%u", text, scope, port_of(bytes));
	else
		snprintf(out, size, "[%s]:%u", text, port_of(bytes));
	return true;
}

static bool unix_address(struct span path, char *out, size_t size)
{
	bool is_abstract = path.size && !path.data[0];
	size_t length = is_abstract ? path.size : strnlen(path.data, path.size);

	if (length > size - 1)
		length = size - 1;
	memcpy(out, path.data, length);
	out[length] = '\0';
	if (is_abstract && length)
		out[0] = '@';
	for (size_t i = 1; i < length; i++) /* NULs within an abstract name */
		out[i] = out[i] ? out[i] : '@';
	return true;
}

bool call_address(struct span sockaddr, char *out, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)sockaddr.data;
	unsigned family;

	*out = '\0';
	if (sockaddr.size < 2)
		return false;
	family = (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
	switch (family) {
	case FAMILY_INET:
		return inet_address(bytes, sockaddr.size, out, size);
	case FAMILY_INET6:
		return inet6_address(bytes, sockaddr.size, out, size);
	case FAMILY_UNIX:
		return unix_address(span_of(sockaddr.data + 2, sockaddr.size - 2), out, size);
	default:
		return false;
	}
}

/* Returns the peer that a call names: in its message, or in a separate argument. */
static struct call_piece peer_piece(const struct syscalls_call *call, const struct syscall_row *row)
{
	for (size_t i = 0; i < row->argument_count; i++) {
		unsigned form = syscall_argument(row, i)->form;

		if (form == ARGUMENT_AS_MESSAGE)
			return call_piece(call, i, SYSCALLS_PART_ADDRESS);
		if (form == ARGUMENT_AS_ADDRESS)
			return call_piece(call, i, SYSCALLS_PART_TARGET);
	}
	return (struct call_piece){ 0 };
}

bool call_named_peer(const struct syscalls_call *call, char *out, size_t size)
{
	const struct syscall_row *row = syscall_row_of(call->abi, call->number);
	struct call_piece piece;

	if (!row->transfer.direction ||
		(row->transfer.direction == SYSCALL_READS && !call_succeeded(call)))
		return false;
	piece = peer_piece(call, row);
	return piece.is_there && call_address(piece.bytes, out, size) && *out;
}

bool call_near_end(const struct syscalls_call *call, char *out, size_t size)
{
	struct call_piece piece = call_piece(call, 0, SYSCALLS_PART_NEAR_END);

	if (!piece.is_there || piece.bytes.size < 4 ||
		!port_of((const unsigned char *)piece.bytes.data))
		return false;
	return call_address(piece.bytes, out, size);
}

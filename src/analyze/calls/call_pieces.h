/* SPDX-License-Identifier: BSD-2-Clause */
/* The data that a call's arguments point to, as far as its record has it. */
#pragma once

#include "base/cursor.h"
#include "probes/syscall_arguments.h"
#include "probes/syscalls.h"

#define AT_FDCWD_LINUX (-100)

struct call_piece {
	bool is_there;
	uint8_t state;
	struct span bytes;
};

/* Returns a piece of a call. Any record that holds SYSCALLS_CALL_LEAST is accepted. */
struct call_piece call_piece(
	const struct syscalls_call *call, size_t argument, enum syscalls_piece_part part);
/* Returns the HTTP status of an answer that the call read; 0: it read none, or the text was not
 * kept. */
unsigned call_http_status(const struct syscalls_call *call);
/* Returns whether the call read bytes from a database that begin with an error message. */
bool call_database_error(const struct syscalls_call *call, struct syscalls_database_error *error);
/* Returns the first piece with that part, of whichever argument. */
struct call_piece call_piece_of_any(
	const struct syscalls_call *call, enum syscalls_piece_part part);
/* Returns the path of an argument. Older captures have only one path per call. */
struct call_piece call_path(const struct syscalls_call *call, size_t argument);

/* Returns whether the call read the pending error of a socket (SO_ERROR); sets it, 0: none. */
bool call_socket_error(const struct syscalls_call *call, uint32_t *error);

/* Returns an argument as a C int, such as a descriptor. The upper half of its 64-bit register may
 * hold anything: JavaScript engines leave the tag of a number there. */
int64_t call_int(uint64_t argument);
/* Returns whether the begin of the call was seen; otherwise its duration is unknown. */
bool call_is_timed(const struct syscalls_call *call);
/* Returns whether the call returned without an error. */
bool call_succeeded(const struct syscalls_call *call);

/* Writes "10.0.0.2:443", "[::1]:443", "[fe80::1%2]:443" (interface number, if the address has one),
 * "/run/x" or "@abstract". False: the address is of another family. */
bool call_address(struct span sockaddr, char *out, size_t size);
/* Writes the peer that the call itself names: the fifth argument of sendto and recvfrom, or the
 * message of sendmsg and recvmsg. False: none, or a failed call did not fill it in. */
bool call_named_peer(const struct syscalls_call *call, char *out, size_t size);
/* Writes the local address of the socket, as the kernel had it when the call returned; only for
 * IPv4 and IPv6. False, and `out` is unchanged: no address, as after a connection that was refused
 * before the call returned. */
bool call_near_end(const struct syscalls_call *call, char *out, size_t size);

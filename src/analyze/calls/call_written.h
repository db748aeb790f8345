/* SPDX-License-Identifier: BSD-2-Clause */
/* The argument that is being written, and its values; for call_text.c and syscall_stream.c. */
#pragma once

#include "analyze/calls/call_pieces.h"
#include "analyze/calls/fd_follow.h"

#define ITEMS_SHOWN 8 /* most items shown of an array */

struct call_text {
	const struct fd_follow *fds; /* NULL: descriptors are numbers */
	const struct syscall_row *row;
	const struct syscalls_call *call;
	struct buffer *out;
};

void call_put_arguments(const struct call_text *w);

struct written {
	const struct call_text *w;
	size_t i; /* index of the argument */
	const struct argument_type *type;
	uint64_t value;
	struct call_piece target;
};

/* Values of any kind: call_values.c. */
void written_put_hex(struct buffer *out, uint64_t value);
void written_put_octal(struct buffer *out, uint64_t value);
/* Writes an address; 0 as NULL. */
void written_put_pointer(struct buffer *out, uint64_t value);
void written_as_hex(const struct written *a);
void written_as_int(const struct written *a);
void written_as_pointer(const struct written *a);
/* Copies the struct that the argument points to; if it was not recorded whole, writes the pointer
 * instead, and returns false. */
bool written_read(const struct written *a, void *out, size_t size);
/* Appends the names of the flags joined by "|". Bits without a name follow as a number. */
void call_put_flags(
	struct buffer *out, const struct flag_table *table, unsigned abi, uint64_t value);
/* Writes "text", or "text"... if the target is truncated. */
void written_put_quoted(struct buffer *out, const struct call_piece *piece);
/* Writes "3</etc/passwd>". */
void written_put_fd(const struct call_text *w, int64_t fd);

typedef void (*call_writer)(const struct written *a);

/* Writers by form of argument; NULL: in another table. call_controls.c writes structs, and
 * arguments whose meaning an earlier argument determines. */
extern const call_writer call_struct_writers[], call_control_writers[];

/* Returns whether the call reads the argument; always true for forms that are not in
 * call_control_writers. */
bool call_control_is_read(const struct written *a);
/* Returns whether this command of fcntl(2) returns a descriptor. */
bool written_control_copies(uint64_t command);
/* Returns the names of the bits in the result of a command; NULL: the result is a number. */
const struct flag_table *written_control_result(uint64_t command);

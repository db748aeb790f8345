/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Keeps the memory to which arguments of a call point. Each piece is a small head and its bytes, in
 * the tail of the call's record. The same lines run in BPF programs and in the tracing process. The
 * file that includes this one defines before:
 *
 * - config: struct syscalls_config
 * - READ_USER(to, size, from): reads memory of the thread; not 0: it cannot be read
 * - READ_USER_STRING(to, size, from): reads a string; its bytes with the NUL, or a negative errno
 *
 * and after: keep_near_end(), which keeps the local address of a socket.
 */
#pragma once

#include "bpf/aggregate.h"
#include "bpf/call_pieces.h"
#include "bpf/syscalls.h"

#define STATE_TRUNCATED 2	     /* SOOTH_STATE_TRUNCATED */
#define STATE_UNREAD	(4 | 6 << 4) /* SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) */
#define STATE_UNSEEN	(4 | 9 << 4) /* SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN) */
#define PIECE_MASK	SYSCALLS_PIECE_MAX
#define PIECE_AT_MAX	(PIECES_BYTES - PIECE_BYTES)
#define UNDER_WAY	(-115) /* EINPROGRESS */

static inline void keep_near_end(struct call_with_pieces *p, uint8_t argument, uint64_t fd);

struct vector {
	uint64_t base, size;
};

/* struct msghdr of 64-bit programs */
struct message {
	uint64_t name;
	uint32_t name_size, unused;
	uint64_t vectors, vector_count;
	uint64_t control, control_size;
	uint64_t flags;
};

static inline void put_head(struct call_with_pieces *p, uint32_t at, uint8_t argument, uint8_t part,
	uint8_t state, uint32_t size)
{
	struct syscalls_piece *head;

	if (at > PIECE_AT_MAX)
		return;
	head = (void *)(p->pieces + at);
	head->argument = argument;
	head->part = part;
	head->state = state;
	head->unused = 0;
	head->size = size;
	p->at = at + (uint32_t)sizeof(*head) + ((size + 7) & ~7u);
}

/* Keeps bytes. Inlined, because a BPF function cannot have six arguments. */
static inline __attribute__((always_inline)) void keep_bytes(struct call_with_pieces *p,
	uint8_t argument, uint8_t part, uint64_t from, uint64_t wanted, uint32_t most)
{
	uint32_t at = p->at, size;
	uint8_t state = 0;

	if (at > PIECE_AT_MAX)
		return;
	size = wanted > most ? most : (uint32_t)wanted;
	if (wanted > most)
		state = STATE_TRUNCATED;
	size &= PIECE_MASK;
	if (READ_USER(p->pieces + at + sizeof(struct syscalls_piece), size, from)) {
		state = STATE_UNREAD;
		size = 0;
	}
	put_head(p, at, argument, part, state, size);
}

/* Keeps a string without its NUL. The path of an exec was read before its memory was gone. */
static inline void keep_string(struct call_with_pieces *p, uint8_t argument, uint64_t from)
{
	uint32_t at = p->at;
	long size, most = SYSCALLS_PIECE_MAX + 1;
	uint8_t state = 0;
	char *to;

	if (at > PIECE_AT_MAX)
		return;
	to = p->pieces + at + sizeof(struct syscalls_piece);
	if (p->path_bytes > 0) {
		__builtin_memcpy(to, p->path, SYSCALLS_PATH_MAX);
		size = p->path_bytes;
		most = SYSCALLS_PATH_MAX;
	} else {
		size = READ_USER_STRING(to, SYSCALLS_PIECE_MAX + 1, from);
	}
	/* The room is full: keep a byte less, because the string may be longer. */
	if (size == most) {
		state = STATE_TRUNCATED;
		size--;
	}
	if (size <= 0) {
		state = STATE_UNREAD;
		size = 1;
	}
	size = (size - 1) & PIECE_MASK;
	put_head(p, at, argument, 0, state, (uint32_t)size);
	if (p->string_argument)
		return;
	p->string_argument = argument + 1;
	p->string_state = state;
	p->string_at = at + (uint32_t)sizeof(struct syscalls_piece);
	p->string_size = (uint32_t)size;
}

/* Keeps the request as it was when the call began. */
static inline void keep_requested(struct call_with_pieces *p, uint8_t argument)
{
	uint32_t at = p->at;

	if (at > PIECE_AT_MAX)
		return;
	__builtin_memcpy(
		p->pieces + at + sizeof(struct syscalls_piece), p->asked, sizeof(p->asked));
	put_head(p, at, argument, SYSCALLS_PART_TARGET, p->requested_state,
		p->requested_state ? 0 : sizeof(p->asked));
}

/* Keeps the first of the `moved` bytes in vectors; `moved` may be any number of 64 bits. */
static inline void keep_first_data(
	struct call_with_pieces *p, uint8_t argument, uint64_t vectors, uint64_t moved)
{
	struct vector first = {};

	if (!config.data_bytes)
		return;
	if (READ_USER(&first, sizeof(first), vectors))
		return;
	keep_bytes(p, argument, SYSCALLS_PART_DATA, first.base,
		first.size < moved ? first.size : moved, config.data_bytes & PIECE_MASK);
}

static inline void keep_vectors(struct call_with_pieces *p, uint8_t argument, uint64_t vectors,
	uint64_t count, uint64_t moved)
{
	keep_bytes(p, argument, SYSCALLS_PART_TARGET, vectors,
		count > 64 ? 1024 : count * sizeof(struct vector), SYSCALLS_ITEMS_MAX);
	if (count)
		keep_first_data(p, argument, vectors, moved);
}

static inline void keep_message(
	struct call_with_pieces *p, uint8_t argument, uint64_t from, uint64_t moved)
{
	struct message m = {};

	if (READ_USER(&m, sizeof(m), from))
		return;
	keep_bytes(p, argument, SYSCALLS_PART_TARGET, from, sizeof(m), sizeof(m));
	if (m.name && m.name_size)
		keep_bytes(p, argument, SYSCALLS_PART_ADDRESS, m.name, m.name_size, 128);
	if (m.vector_count)
		keep_first_data(p, argument, m.vectors, moved);
}

/* --- an answer of HTTP --- */

#define STATUS_LINE	 12 /* "HTTP/1.1 200": only these bytes are used */
#define STATUS_AT	 9
#define STATUS_HTTP	 0x2f50545448ull /* "HTTP/", as a number */
#define STATUS_HTTP_MASK 0xffffffffffull

static inline bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Keeps an HTTP status: only its digits leave the kernel. */
static inline void keep_status(
	struct call_with_pieces *p, uint8_t argument, uint64_t from, uint64_t done)
{
	uint8_t line[16] __attribute__((aligned(8))) = {};
	uint32_t at;
	uint8_t *to;

	if (done < STATUS_LINE || READ_USER(line, STATUS_LINE, from) ||
		(*(uint64_t *)(void *)line & STATUS_HTTP_MASK) != STATUS_HTTP ||
		line[STATUS_AT - 1] != ' ' || !is_digit(line[STATUS_AT]) ||
		!is_digit(line[STATUS_AT + 1]) || !is_digit(line[STATUS_AT + 2]))
		return;
	/* After the read, because older kernels forget the bounds of a spilled value. */
	at = p->at;
	if (at > PIECE_AT_MAX)
		return;
	to = (uint8_t *)p->pieces + at + sizeof(struct syscalls_piece);
	to[0] = line[STATUS_AT];
	to[1] = line[STATUS_AT + 1];
	to[2] = line[STATUS_AT + 2];
	put_head(p, at, argument, SYSCALLS_PART_STATUS, 0, SYSCALLS_STATUS_DIGITS);
}

/* --- by type --- */

/* Returns the argument behind `argument`: a length. */
static inline uint64_t next_argument(const struct call_with_pieces *p, uint32_t argument)
{
	return p->arguments[(argument + 1) & (ARGUMENT_SLOTS - 1)];
}

static inline uint64_t length_at(uint64_t from)
{
	uint32_t length = 0;

	READ_USER(&length, sizeof(length), from);
	return length;
}

/* Returns the most bytes to keep: a bound for arrays and structs, data as requested. */
static inline uint32_t most_of(const volatile struct syscalls_capture *c)
{
	return c->is_data ? config.data_bytes & PIECE_MASK : SYSCALLS_ITEMS_MAX;
}

static inline uint64_t bytes_of(
	const struct call_with_pieces *p, const volatile struct syscalls_capture *c, uint64_t done)
{
	switch (c->keep) {
	case SYSCALLS_KEEP_UNIT:
		return c->unit;
	case SYSCALLS_KEEP_BY_NEXT:
		return next_argument(p, c->argument) * c->unit;
	case SYSCALLS_KEEP_BY_RESULT:
		return done * c->unit;
	default:
		return length_at(next_argument(p, c->argument));
	}
}

static inline void keep_by_type(
	struct call_with_pieces *p, const volatile struct syscalls_capture *c, int64_t result)
{
	uint64_t from = p->arguments[c->argument & (ARGUMENT_SLOTS - 1)];
	uint64_t done = aggregate_is_error(result) ? 0 : (uint64_t)result;
	/* Data to be written exists even if none of it was written. */
	uint64_t moved = c->is_result ? done : ~0ULL;

	if (c->keep == SYSCALLS_KEEP_STRING) {
		keep_string(p, c->argument, from);
		return;
	}
	if (c->keep == SYSCALLS_KEEP_NEAR_END) {
		keep_near_end(p, c->argument, c->is_result ? done : from);
		return;
	}
	if (from && c->is_data && c->keep == SYSCALLS_KEEP_BY_RESULT && config.keeps_status)
		keep_status(p, c->argument, from, done);
	if (!from || (c->is_data && !config.data_bytes))
		return;
	if (c->keep == SYSCALLS_KEEP_ASKED)
		keep_requested(p, c->argument);
	else if (c->keep == SYSCALLS_KEEP_VECTORS)
		keep_vectors(p, c->argument, from, next_argument(p, c->argument), moved);
	else if (c->keep == SYSCALLS_KEEP_MESSAGE)
		keep_message(p, c->argument, from, moved);
	else
		keep_bytes(p, c->argument, SYSCALLS_PART_TARGET, from, bytes_of(p, c, done),
			most_of(c));
}

/* Keeps a piece of a call that returned, unless the call has left nothing there. */
static inline void keep_piece(
	struct call_with_pieces *p, const volatile struct syscalls_capture *c, int64_t result)
{
	if (!aggregate_is_error(result) ||
		(result == UNDER_WAY && c->keep == SYSCALLS_KEEP_NEAR_END) ||
		(!c->is_result && c->keep != SYSCALLS_KEEP_NEAR_END))
		keep_by_type(p, c, result);
}

/* The first string is the path of the call. */
static inline void name_path(struct call_with_pieces *p)
{
	struct syscalls_call *r = &p->call;

	if (!p->string_argument)
		return;
	r->path_argument = p->string_argument;
	r->path_state = p->string_state;
	r->path.offset = (uint32_t)sizeof(struct syscalls_call) + p->string_at;
	r->path.size = p->string_size;
}

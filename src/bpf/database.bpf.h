/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the error code of a database's answer that a call read with one buffer: SQLSTATE of
 * PostgreSQL's ErrorResponse, the number of MySQL's ERR packet, the first word of a Redis error, or
 * MAXCLIENTS.
 * Only the code leaves the kernel: neither text nor values of the answer.
 *
 * PostgreSQL: "Message Formats" of its protocol 3.0; since 9.6 it has a severity that is never
 * translated ('V'). MySQL: ERR_Packet of its client protocol. Redis: "Simple errors" of RESP.
 */
#pragma once

#include "bpf/pieces.bpf.h"

#define ANSWER_BYTES  32
#define SHORTEST      16
#define SMALL_MESSAGE 5 /* PostgreSQL message without contents, like ParseComplete */
#define ACCEPTED      9
#define SEVERITY_AT   5	 /* of an ErrorResponse: behind type and length */
#define UNTRANSLATED  12 /* "SERROR\0" comes before */
#define SQLSTATE_AT   19 /* and "VERROR\0" */
#define SQLSTATE_SIZE 5
#define MYSQL_HEAD    4
#define MYSQL_FIRST   1000
#define MYSQL_LAST    4999

/* Returns whether a message may come before the error of a prepared statement: '1' parsed, '2'
 * bound, '3' closed, 'n' no rows. */
static inline bool is_small_message(const uint8_t *at)
{
	return (at[0] == '1' || at[0] == '2' || at[0] == '3' || at[0] == 'n') && !at[1] && !at[2] &&
	       !at[3] && at[4] == 4;
}

static inline uint32_t small_messages(const uint8_t *answer)
{
	/* AuthenticationOk: the error after it may be that no connection is left. */
	if (answer[0] == 'R' && !answer[1] && !answer[2] && !answer[3] && answer[4] == 8)
		return ACCEPTED;
	if (!is_small_message(answer))
		return 0;
	if (!is_small_message(answer + SMALL_MESSAGE))
		return SMALL_MESSAGE;
	return is_small_message(answer + 2 * SMALL_MESSAGE) ? 3 * SMALL_MESSAGE : 2 * SMALL_MESSAGE;
}

static inline bool is_postgres_error(const uint8_t *answer)
{
	return answer[0] == 'E' && !answer[1] && !answer[2] && answer[SEVERITY_AT] == 'S' &&
	       answer[UNTRANSLATED] == 'V' && answer[SQLSTATE_AT] == 'C' &&
	       !answer[SQLSTATE_AT + 1 + SQLSTATE_SIZE];
}

/* Returns the place of the code, if the data is a single packet, as an error always is. */
static inline uint32_t mysql_error(const uint8_t *answer, uint64_t done)
{
	uint32_t length = answer[0] | (uint32_t)answer[1] << 8 | (uint32_t)answer[2] << 16;
	uint32_t code = answer[5] | (uint32_t)answer[6] << 8;

	return answer[4] == 0xff && length + MYSQL_HEAD == done && code >= MYSQL_FIRST &&
			       code <= MYSQL_LAST
		       ? code
		       : 0;
}

/* Returns the length of the word behind the sign ("-OOM command not allowed ..."); 0: none. */
static inline uint32_t redis_word(const uint8_t *answer)
{
	uint32_t size = 0;

	if (answer[0] != '-')
		return 0;
	for (uint32_t i = 1; i <= SYSCALLS_CODE_MAX; i++) {
		if (answer[i] < 'A' || answer[i] > 'Z')
			return answer[i] == ' ' && size >= 2 ? size : 0;
		size = i;
	}
	return 0;
}

/* "-ERR max number of clients reached" has no code of its own. */
static const uint8_t redis_full[] = { 'M', 'A', 'X', 'C', 'L', 'I', 'E', 'N', 'T', 'S' };

static inline bool is_redis_full(const uint8_t *answer)
{
	return answer[1] == 'E' && answer[2] == 'R' && answer[3] == 'R' && answer[5] == 'm' &&
	       answer[6] == 'a' && answer[7] == 'x' && answer[8] == ' ' && answer[9] == 'n' &&
	       answer[10] == 'u' && answer[11] == 'm';
}

/* Writes the code. The place is computed after all reads: older kernels forget spilled bounds. */
static inline void put_code(struct call_with_pieces *p, uint32_t argument, uint8_t database,
	const uint8_t *code, uint32_t size)
{
	uint32_t at = p->at;
	uint8_t *to;

	if (at > PIECE_AT_MAX)
		return;
	to = (uint8_t *)p->pieces + at + sizeof(struct syscalls_piece);
	to[0] = database;
	for (uint32_t i = 0; i < SYSCALLS_CODE_MAX; i++)
		to[1 + i] = i < size ? code[i] : 0;
	put_head(p, at, (uint8_t)argument, SYSCALLS_PART_DATABASE_ERROR, 0, 1 + SYSCALLS_CODE_MAX);
}

static inline void put_number(struct call_with_pieces *p, uint32_t argument, uint32_t number)
{
	const uint8_t digits[SYSCALLS_CODE_MAX] = { (uint8_t)('0' + number / 1000 % 10),
		(uint8_t)('0' + number / 100 % 10), (uint8_t)('0' + number / 10 % 10),
		(uint8_t)('0' + number % 10) };

	put_code(p, argument, SYSCALLS_MYSQL, digits, 4);
}

VERIFIED_ALONE_BY_NUMBERS int keep_database_error(
	uint32_t scratch_index, uint32_t argument, uint64_t from, uint64_t done)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	uint8_t answer[ANSWER_BYTES] = {};
	uint32_t size, number;

	if (!p || done < SHORTEST ||
		bpf_probe_read_user(answer, SHORTEST, (const void *)(unsigned long)from))
		return 0;
	size = redis_word(answer);
	number = mysql_error(answer, done);
	if (size) {
		if (is_redis_full(answer))
			put_code(p, argument, SYSCALLS_REDIS, redis_full, sizeof(redis_full));
		else
			put_code(p, argument, SYSCALLS_REDIS, answer + 1, size);
		return 0;
	}
	if (number) {
		put_number(p, argument, number);
		return 0;
	}
	size = small_messages(answer);
	if (done < size + ANSWER_BYTES || bpf_probe_read_user(answer, ANSWER_BYTES,
						  (const void *)(unsigned long)(from + size)))
		return 0;
	if (is_postgres_error(answer))
		put_code(p, argument, SYSCALLS_POSTGRES, answer + SQLSTATE_AT + 1, SQLSTATE_SIZE);
	return 0;
}

/* Keeps the error code of the answer that a call read into one buffer. */
static inline void keep_answer(const struct call_with_pieces *p, const struct thread *t,
	int64_t result, uint32_t scratch_index)
{
	const volatile struct syscalls_capture *c =
		config.captures[t->number & (SYSCALLS_NUMBERS - 1)];

	if (result <= 0)
		return;
	if (c->keep == SYSCALLS_KEEP_BY_RESULT && c->is_data)
		keep_database_error(scratch_index, c->argument,
			p->arguments[c->argument & (ARGUMENT_SLOTS - 1)], (uint64_t)result);
}

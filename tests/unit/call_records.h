/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of single system calls, with what their arguments point to, for unit tests. */
#ifndef SOOTH_TESTS_CALL_RECORDS_H
#define SOOTH_TESTS_CALL_RECORDS_H

#include "support.h"

#include "analyze/calls/call_pieces.h"

/* The next call and its pieces; freed by call_records_fini(). */
static struct buffer call_record, call_pieces;

static void call_records_fini(void)
{
	buffer_fini(&call_record);
	buffer_fini(&call_pieces);
}

static inline void piece_of(
	uint8_t argument, enum syscalls_piece_part part, const void *bytes, size_t size)
{
	struct syscalls_piece head = {
		.argument = argument, .part = (uint8_t)part, .size = (uint32_t)size
	};

	buffer_append(&call_pieces, &head, sizeof(head));
	buffer_append(&call_pieces, bytes, size);
	while (call_pieces.size % 8)
		buffer_char(&call_pieces, 0);
}

static inline void piece(uint8_t argument, const void *bytes, size_t size)
{
	piece_of(argument, SYSCALLS_PART_TARGET, bytes, size);
}

/* `head` has all but kind, number, pieces; good until the next one. */
static const struct sooth_record *make_call(const struct syscalls_call *head, const char *name)
{
	int32_t number = syscall_number(SYSCALL_ABI_X86_64, name, strlen(name));
	struct syscalls_call call = *head;
	struct record_tail tail[] = { { &call.pieces, call_pieces.data, call_pieces.size } };

	assert_true(number >= 0);
	call.record.kind = SYSCALLS_CALL;
	call.number = (uint32_t)number;
	buffer_reset(&call_record);
	RECORD_APPEND(&call_record, &call, tail, 1);
	buffer_reset(&call_pieces);
	return (const void *)call_record.data;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the syscalls probe. */
#include "probes/syscalls.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "model/probe.h"
#include "model/schema.h"
#include "probes/pause.h"
#include "probes/uring_opcodes.h"

#define NUMBER_FIELDS(type_)                                                                       \
	FIELD_NUMBER(type_, number, "number of the system call in its ABI"),                       \
		FIELD_NUMBER(type_, abi,                                                           \
			"system-call table of the number: 0 x86-64, 1 aarch64, 2 i386, "           \
			"3 x32, 4 arm")

static const struct sooth_field count_fields[] = {
	FIELD_PID(syscalls_count),
	FIELD_TID(syscalls_count),
	FIELD_NUMBER_AS(syscalls_count, from_ns, start_ns,
		"start of the counted time window; time_ns is its end", .unit = SOOTH_UNIT_TIME_NS,
		.merge = SOOTH_MERGE_MIN),
	NUMBER_FIELDS(syscalls_count),
	FIELD_NUMBER(syscalls_count, count, "system calls that returned or ended the thread",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(
		syscalls_count, errors, "number of failed system calls", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(syscalls_count, unfinished,
		"calls still running at the end of the measurement", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(syscalls_count, total_ns, "total time in all timed system calls",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(syscalls_count, max_ns, "duration of the longest system call",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX),
	FIELD_OF(HISTOGRAM, syscalls_count, histogram, histogram_ns,
		"histogram: slot i counts calls that took from 2^i to 2^(i+1) ns",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(syscalls_count, untimed,
		"system calls without a duration: entered before attach, or never returned",
		.merge = SOOTH_MERGE_SUM),
};

static const struct sooth_field error_fields[] = {
	FIELD_PID(syscalls_error),
	FIELD_TID(syscalls_error),
	FIELD_NUMBER_AS(syscalls_error, from_ns, start_ns,
		"start of the counted time window; time_ns is its end", .unit = SOOTH_UNIT_TIME_NS,
		.merge = SOOTH_MERGE_MIN),
	NUMBER_FIELDS(syscalls_error),
	FIELD_OF(ERRNO, syscalls_error, error, error, "errno name of the error"),
	FIELD_NUMBER(syscalls_error, count, "number of system calls that failed with this error",
		.merge = SOOTH_MERGE_SUM),
};

static const struct sooth_field call_fields[] = {
	FIELD_OF(UNSIGNED, syscalls_call, record.time_ns, time_ns, "time the system call returned",
		.unit = SOOTH_UNIT_TIME_NS),
	FIELD_PID(syscalls_call),
	FIELD_TID(syscalls_call),
	NUMBER_FIELDS(syscalls_call),
	FIELD_WITH(UNSIGNED, syscalls_call, duration_ns, duration_state,
		"time from the start of the call to its return", .unit = SOOTH_UNIT_NS),
	FIELD_WITH(SIGNED, syscalls_call, result, result_state,
		"return value of the system call; a negative errno on failure"),
	FIELD_WITH(TEXT, syscalls_call, path, path_state,
		"path or name argument of the system call", .placeholder = "file"),
	FIELD_OF(CHARS, syscalls_call, name, thread, "name of the thread"),
};

static const struct sooth_field uring_fields[] = {
	FIELD_PID(syscalls_uring),
	FIELD_TID(syscalls_uring),
	FIELD_NUMBER_AS(syscalls_uring, from_ns, start_ns,
		"start of the counted time window; time_ns is its end", .unit = SOOTH_UNIT_TIME_NS,
		.merge = SOOTH_MERGE_MIN),
	FIELD_OF(ENUM, syscalls_uring, opcode, opcode, "io_uring operation",
		.names = &uring_opcode_names),
	FIELD_NUMBER(syscalls_uring, count, "io_uring requests that the kernel accepted",
		.merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(syscalls_uring, sockets, "of these, requests on an internet connection",
		.merge = SOOTH_MERGE_SUM),
};

static const struct sooth_field uring_done_fields[] = {
	FIELD_PID(syscalls_uring_done),
	FIELD_TID(syscalls_uring_done),
	FIELD_NUMBER(syscalls_uring_done, duration_ns,
		"time from the submission of the request to its completion", .unit = SOOTH_UNIT_NS),
	FIELD_OF(SIGNED, syscalls_uring_done, result, result,
		"result of the request: bytes moved, or a negative errno"),
	FIELD_OF(SIGNED, syscalls_uring_done, fd, fd,
		"file descriptor of the request; -1: a registered file of the ring"),
	FIELD_OF(ENUM, syscalls_uring_done, opcode, opcode, "io_uring operation",
		.names = &uring_opcode_names),
};

static const char *const message_kinds[] = {
	[SYSCALLS_MESSAGE_ROUTINE] = "routine",
	[SYSCALLS_MESSAGE_WARNING] = "warning",
	[SYSCALLS_MESSAGE_ERROR] = "error",
	[SYSCALLS_MESSAGE_LAST] = "last",
};
static const struct sooth_names message_kind_names = { ARRAY_SIZE(message_kinds), message_kinds };

static const struct sooth_field message_fields[] = {
	FIELD_PID(syscalls_message),
	FIELD_TID(syscalls_message),
	FIELD_OF(ENUM, syscalls_message, kind, message_kind,
		"kind of a line on standard error, by its words", .names = &message_kind_names),
	FIELD_STRING(syscalls_message, text,
		"the line of an error or warning, without time and level, cut; secrets are masked"),
	FIELD_TRUTH(syscalls_message, is_part,
		"it ends a stack trace and belongs to the message before it"),
	FIELD_TRUTH(syscalls_message, is_done, "the line says that something succeeded"),
	FIELD_NUMBER(syscalls_message, form,
		"the same for lines that differ in numbers, quoted texts and paths alone"),
};

RECORD_SCHEMA(syscalls_count, 224, "syscalls.count", SYSCALLS_COUNT, AGGREGATE, count_fields,
	.time_span = SOOTH_TIME_SPAN_WINDOW);
RECORD_SCHEMA(syscalls_error, 64, "syscalls.error", SYSCALLS_ERROR, AGGREGATE, error_fields,
	.time_span = SOOTH_TIME_SPAN_WINDOW);
/* Finds the next piece that is text, not an address. Pieces are bytes of the target: a damaged
 * piece ends the search. */
static bool next_piece(const char *pieces, size_t size, size_t *at, size_t *begin, size_t *length)
{
	while (size - *at >= sizeof(struct syscalls_piece)) {
		struct syscalls_piece head;
		size_t bytes = *at + sizeof(head);

		memcpy(&head, pieces + *at, sizeof(head));
		if (head.size > size - bytes)
			return false;
		*at = bytes + ((head.size + 7) & ~(size_t)7);
		if (*at > size)
			*at = size;
		if (head.part == SYSCALLS_PART_ADDRESS)
			continue;
		*begin = bytes;
		*length = head.size;
		return true;
	}
	return false;
}

static const struct sooth_runs pieces = { .offset = offsetof(struct syscalls_call, pieces),
	.size = sizeof(struct syscalls_call),
	.next = next_piece };

RECORD_SCHEMA(
	syscalls_call, 144, "syscalls.call", SYSCALLS_CALL, EVENT, call_fields, .runs = &pieces);
RECORD_SCHEMA(pause_event, 72, "syscalls.hold", SYSCALLS_PAUSE, SAMPLE, held_fields);
RECORD_SCHEMA(syscalls_uring, 56, "syscalls.uring", SYSCALLS_URING, SAMPLE, uring_fields,
	.time_span = SOOTH_TIME_SPAN_WINDOW);

RECORD_SCHEMA(syscalls_uring_done, 56, "syscalls.uring_done", SYSCALLS_URING_DONE, EVENT,
	uring_done_fields);

RECORD_SCHEMA(syscalls_message, 56, "syscalls.message", SYSCALLS_MESSAGE, EVENT, message_fields);

static const struct sooth_schema *const schemas[] = { &syscalls_count_schema,
	&syscalls_error_schema, &syscalls_call_schema, &pause_event_schema, &syscalls_uring_schema,
	&syscalls_message_schema, &syscalls_uring_done_schema, NULL };

const struct probe probe_syscalls = {
	.name = "syscalls",
	.help = "system calls: counts, errors, durations, or every call",
	.offers = INTEREST_COUNT | INTEREST_STREAM,
	.schemas = schemas,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls one a line, as they return. Arguments are shown by the letters of
 * the call's signature in syscall_names.def; a path is the one the kernel side
 * read, anything else a number.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "bpf/tally.h"
#include "core/stage.h"
#include "model/schema.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define AT_FDCWD_LINUX (-100)

struct stream_row {
	struct sooth_record record;
	uint64_t duration_ns;
	int64_t result;
	uint32_t error;
	uint8_t result_state;
	uint8_t unused[3];
	struct sooth_text name;
	struct sooth_text arguments;
	struct sooth_text thread;
};

static const struct sooth_field stream_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(stream_row, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "when it returned (CLOCK_MONOTONIC)" },
	FIELD_PID(stream_row),
	FIELD_TID(stream_row),
	FIELD_STRING(stream_row, thread, "name of the thread"),
	FIELD_STRING(stream_row, name, "the call"),
	FIELD_STRING(stream_row, arguments, "its arguments"),
	{ .name = "result",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(stream_row, result),
		FIELD_STATE_AT(stream_row, result_state),
		.help = "what it returned" },
	{ .name = "error",
		.type = SOOTH_FIELD_ERRNO,
		FIELD_AT(stream_row, error),
		.help = "the error, when it failed" },
	FIELD_NUMBER(stream_row, duration_ns, "time in the call", .unit = SOOTH_UNIT_NS),
};

static const struct sooth_schema stream_schema = {
	.name = "calls",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct stream_row),
	SCHEMA_FIELDS(stream_fields),
	.line = "{time_ns} {tid} {thread}: {name}({arguments}) = {result}[ {error}] "
		"<{duration_ns}>",
};

static const struct section stream_section = {
	.name = "call",
	.schema = &stream_schema,
	.shape = SECTION_STREAM,
};

struct stream_state {
	struct output *output;
	struct buffer arguments;
	bool has_section;
	bool has_counts, has_calls;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct stream_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	return 0;
}

static void write_path(struct buffer *out, const struct syscalls_call *call)
{
	size_t bytes = (size_t)call->record.words * SOOTH_RECORD_WORD;
	uint8_t state = call->path_state & 0xf;

	if (state == SOOTH_STATE_NOT_MEASURED || call->path.offset > bytes ||
		call->path.size > bytes - call->path.offset) {
		buffer_format(out, "0x%" PRIx64 " (not readable)",
			call->arguments[call->path_argument - 1]);
		return;
	}
	buffer_char(out, '"');
	escape_terminal(out, (const char *)call + call->path.offset, call->path.size);
	buffer_string(out, state == SOOTH_STATE_TRUNCATED ? "\"..." : "\"");
}

/* A C int arrives in a 64-bit register whose upper half may be anything. */
static int64_t as_int(uint64_t argument)
{
	return argument >> 32 == 0 || argument >> 32 == UINT32_MAX ? (int32_t)argument
								   : (int64_t)argument;
}

static void write_argument(
	struct buffer *out, char letter, const struct syscalls_call *call, size_t i)
{
	uint64_t value = call->arguments[i];

	if (call->path_argument == i + 1) {
		write_path(out, call);
		return;
	}
	switch (letter) {
	case 'a':
		if (as_int(value) == AT_FDCWD_LINUX) {
			buffer_string(out, "AT_FDCWD");
			break;
		}
		/* fall through */
	case 'd':
	case 'f':
		buffer_format(out, "%" PRId64, as_int(value));
		break;
	case 'u':
	case 'z':
		buffer_format(out, "%" PRIu64, value);
		break;
	case 'o':
		buffer_format(out, "0%" PRIo64, value);
		break;
	default:
		if (value)
			buffer_format(out, "0x%" PRIx64, value);
		else
			buffer_char(out, letter == 'p' || letter == 's' ? 'N' : '0');
		if (!value && (letter == 'p' || letter == 's'))
			buffer_string(out, "ULL");
		break;
	}
}

static void write_arguments(struct buffer *out, const struct syscalls_call *call)
{
	const struct syscall_row *known = syscall_by_number(call->abi, call->number);
	const char *letters = known ? known->signature : "xxxxxx";

	buffer_reset(out);
	for (size_t i = 0; letters[i] && i < ARRAY_SIZE(call->arguments); i++) {
		if (i)
			buffer_string(out, ", ");
		write_argument(out, letters[i], call, i);
	}
}

static int tell(struct stream_state *s, const struct syscalls_call *call, struct sooth_error *err)
{
	struct stream_row row = { .record = call->record,
		.duration_ns = call->duration_ns,
		.result = call->result,
		.result_state = call->result_state };
	char name[SYSCALL_NAME_SIZE];

	if (tally_is_error(call->result) && call->result_state == SOOTH_STATE_VALUE) {
		row.error = (uint32_t)-call->result;
		row.result = -1;
	}
	write_arguments(&s->arguments, call);
	struct record_tail tail[] = {
		{ &row.name, name, syscall_name(call->abi, call->number, name) },
		{ &row.arguments, s->arguments.data, s->arguments.size },
		{ &row.thread, call->name, strnlen(call->name, sizeof(call->name)) },
	};
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int begin_once(struct stream_state *s, struct sooth_error *err)
{
	if (s->has_section)
		return 0;
	s->has_section = true;
	return output_section(s->output, &stream_section, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct stream_state *s = state;
	int status = begin_once(s, err);

	batch_for_each (r, batch) {
		s->has_counts |= r->kind == SYSCALLS_COUNT;
		s->has_calls |= r->kind == SYSCALLS_CALL;
		if (!status && record_as(r, SYSCALLS_CALL, sizeof(struct syscalls_call)))
			status = tell(s, (const void *)r, err);
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct stream_state *s = state;

	if (s->has_counts && !s->has_calls)
		output_limit(s->output, "each call", "calls were counted, not kept",
			"`sooth trace -c` shows the counts; `sooth record --stream` keeps each "
			"call");
	return begin_once(s, err);
}

static void fini(void *state)
{
	struct stream_state *s = state;

	buffer_fini(&s->arguments);
}

const struct stage_type stage_syscall_stream = {
	.name = "syscall-stream",
	.help = "system calls, a line each",
	.shows = "syscalls",
	.state_size = sizeof(struct stream_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};

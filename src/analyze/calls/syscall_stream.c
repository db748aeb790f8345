/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls one a line, as they return: arguments by what they are (call_text.h), each
 * descriptor with what it is (fd_follow.h).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyze/calls/call_about.h"
#include "analyze/calls/call_backlog.h"
#include "analyze/calls/call_exits.h"
#include "analyze/calls/call_notes.h"
#include "analyze/calls/call_text.h"
#include "analyze/records.h"
#include "analyze/calls/syscall_stream.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "core/stage.h"
#include "model/errno_names.h"
#include "model/schema.h"
#include "model/stream_records.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"
#include "probes/syscall_set.h"

struct stream_row {
	struct sooth_record record;
	uint64_t duration_ns;
	uint64_t utc_ns;
	int64_t result;
	int64_t fd;
	uint32_t error;
	uint8_t category; /* enum syscall_category */
	uint8_t result_state, fd_state, path_state, utc_state, time_state, duration_state;
	uint8_t unused[5];
	struct sooth_text time;
	struct sooth_text name;
	struct sooth_text arguments;
	struct sooth_text result_text;
	struct sooth_text error_text;
	struct sooth_text fd_name;
	struct sooth_text path;
	struct sooth_text thread;
	struct sooth_text process;
};

static const struct sooth_field stream_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(stream_row, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "when it returned (CLOCK_MONOTONIC)" },
	FIELD_NUMBER(stream_row, utc_ns, "when it returned, ns since 1970",
		FIELD_STATE_AT(stream_row, utc_state), .unit = SOOTH_UNIT_UTC_NS),
	FIELD_STRING(stream_row, time,
		"as it was asked for: time of the day, or since the one before",
		FIELD_STATE_AT(stream_row, time_state)),
	FIELD_PID(stream_row),
	FIELD_TID(stream_row),
	FIELD_STRING(stream_row, thread, "name of the thread"),
	FIELD_STRING(stream_row, process, "name of the process; empty: not known"),
	FIELD_STRING(stream_row, name, "the call"),
	{ .name = "category",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(stream_row, category),
		.names = &syscall_category_names,
		.help = "what it is about" },
	FIELD_STRING(stream_row, arguments, "its arguments"),
	{ .name = "result",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(stream_row, result),
		FIELD_STATE_AT(stream_row, result_state),
		.help = "what it returned" },
	FIELD_STRING(stream_row, result_text, "the same for people: a descriptor with what it is",
		FIELD_STATE_AT(stream_row, result_state)),
	{ .name = "error",
		.type = SOOTH_FIELD_ERRNO,
		FIELD_AT(stream_row, error),
		.help = "the error, when it failed" },
	FIELD_STRING(stream_row, error_text, "what that means"),
	{ .name = "fd",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(stream_row, fd),
		FIELD_STATE_AT(stream_row, fd_state),
		.help = "the descriptor it is about: its first argument, or what it returned" },
	FIELD_STRING(stream_row, fd_name, "what that is; empty: not known",
		FIELD_STATE_AT(stream_row, fd_state)),
	FIELD_STRING(stream_row, path, "the path among its arguments, from the root where known",
		FIELD_STATE_AT(stream_row, path_state)),
	FIELD_NUMBER(stream_row, duration_ns, "time in the call", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(stream_row, duration_state)),
};

static const struct sooth_schema stream_schema = {
	.name = "calls",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct stream_row),
	SCHEMA_FIELDS(stream_fields),
	.line = "{time} {tid} {thread}: {name}({arguments}) = {result_text}[ {error}][ "
		"({error_text})] <{duration_ns}>",
};

/* Of many processes. */
static const struct sooth_schema host_schema = {
	.name = "calls",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct stream_row),
	SCHEMA_FIELDS(stream_fields),
	.line = "{time} {pid} {process} {tid} {thread}: {name}({arguments}) = {result_text}"
		"[ {error}][ ({error_text})] <{duration_ns}>",
};

static const struct section stream_section = {
	.name = "call",
	.schema = &stream_schema,
	.shape = SECTION_STREAM,
	.asides = call_exit_asides,
};

static const struct section host_section = {
	.name = "call",
	.schema = &host_schema,
	.shape = SECTION_STREAM,
	.asides = call_exit_host_asides,
};

struct stream_state {
	struct output *output;
	struct syscall_stream_options options;
	struct syscall_set set;
	struct fd_follow fds;
	struct call_backlog backlog;
	struct call_table *types;
	struct call_notes notes;
	struct buffer time, arguments, result, fd_name, path;
	int64_t realtime_offset_ns;
	uint64_t before_ns; /* the line before */
	bool has_clock;
	bool has_section;
	bool has_counts, has_calls;
};

/* --- a row --- */

static void put_time(struct stream_state *s, uint64_t time_ns)
{
	/* Both are a writer's words: what is too far off wraps. */
	uint64_t utc_ns = time_ns + (uint64_t)s->realtime_offset_ns;
	time_t seconds = (time_t)(utc_ns / NS_PER_S);
	uint64_t since = s->before_ns ? time_ns - s->before_ns : 0;
	uint64_t shown = s->options.time == SYSCALL_STREAM_RELATIVE ? since : time_ns;
	struct tm tm;
	char text[32];

	s->before_ns = time_ns;
	buffer_reset(&s->time);
	if (s->options.time == SYSCALL_STREAM_CLOCK && localtime_r(&seconds, &tm) &&
		strftime(text, sizeof(text), "%H:%M:%S", &tm)) {
		buffer_format(&s->time, "%s.%06u", text, (unsigned)(utc_ns % NS_PER_S / 1000));
		return;
	}
	buffer_format(&s->time, "%llu.%06llu", (unsigned long long)(shown / NS_PER_S),
		(unsigned long long)(shown % NS_PER_S / 1000));
}

/* The descriptor it is about; what it returned is known only afterwards. */
static void find_fd(struct stream_state *s, const struct syscalls_call *call,
	const struct call_types *types, struct stream_row *row)
{
	struct process_id id = process_id_of(&call->record);
	bool is_first = types->letters[0] == 'f';

	buffer_reset(&s->fd_name);
	row->fd_state = SOOTH_STATE_ABSENT;
	if (!is_first && !(types->returns_fd && call_succeeded(call)))
		return;
	row->fd = is_first ? call_int(call->arguments[0]) : call->result;
	row->fd_state = SOOTH_STATE_VALUE;
	if (fd_follow_get(&s->fds, &id, row->fd))
		fd_follow_put(&s->fds, &id, row->fd, &s->fd_name);
}

static int put_row(struct stream_state *s, const struct syscalls_call *call,
	const struct call_types *types, struct stream_row *row, struct sooth_error *err)
{
	const char *error_text = row->error ? errno_text(row->error) : NULL;
	char name[SYSCALL_NAME_SIZE];
	struct process_id id = process_id_of(&call->record);
	struct span thread = span_of(call->name, strnlen(call->name, sizeof(call->name)));
	struct span process = fd_follow_process(&s->fds, &id);
	struct record_tail tail[] = {
		{ &row->name, name, syscall_name(call->abi, call->number, name) },
		tail_buffer(&row->time, &s->time),
		tail_buffer(&row->arguments, &s->arguments),
		tail_buffer(&row->result_text, &s->result),
		tail_string(&row->error_text, error_text ? error_text : ""),
		tail_buffer(&row->fd_name, &s->fd_name),
		tail_buffer(&row->path, &s->path),
		tail_span(&row->thread, thread),
		/* Nobody read who it is: its thread at least has a name. */
		tail_span(&row->process, process.size ? process : thread),
	};

	row->category = types->row ? types->row->category : (uint8_t)SYSCALL_CATEGORY_OTHER;
	row->utc_ns = call->record.time_ns + (uint64_t)s->realtime_offset_ns;
	row->utc_state = s->has_clock ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	return OUTPUT_ROW(s->output, row, tail, ARRAY_SIZE(tail), err);
}

static bool is_requested_for(const struct stream_state *s, const struct syscalls_call *call,
	const struct call_types *types)
{
	bool is_error = call->result_state == SOOTH_STATE_VALUE && aggregate_is_error(call->result);

	return syscall_set_has(&s->set, types->row) && (!s->options.only_failed || is_error);
}

/* What stands in a row before the call has changed what descriptors are. */
static void describe(struct stream_state *s, const struct syscalls_call *call,
	const struct call_types *types, struct stream_row *row)
{
	struct call_text words = { s->options.only_numbers ? NULL : &s->fds, types, call,
		&s->arguments };

	if (aggregate_is_error(call->result) && call->result_state == SOOTH_STATE_VALUE) {
		row->error = (uint32_t)-call->result;
		row->result = -1;
	}
	buffer_reset(&s->arguments);
	buffer_reset(&s->path);
	call_put_arguments(&words);
	row->path_state = call_find_path(&s->fds, types, call, &s->path);
	if (types->letters[0] == 'f')
		find_fd(s, call, types, row);
}

static void describe_result(struct stream_state *s, const struct syscalls_call *call,
	const struct call_types *types, struct stream_row *row)
{
	struct call_text words = { s->options.only_numbers ? NULL : &s->fds, types, call,
		&s->result };

	buffer_reset(&s->result);
	call_put_result(&words);
	if (types->letters[0] != 'f')
		find_fd(s, call, types, row);
}

static bool touches(const struct stream_state *s, const struct syscalls_call *call,
	const struct call_types *types)
{
	const struct syscall_stream_options *o = &s->options;

	return !o->path || call_touches(&s->fds, types, call, o->path) ||
	       (o->real_path && call_touches(&s->fds, types, call, o->real_path));
}

static bool makes(const struct stream_state *s, const struct syscalls_call *call,
	const struct call_types *types)
{
	const struct syscall_stream_options *o = &s->options;

	return call_made(&s->fds, types, call, o->path) ||
	       (o->real_path && call_made(&s->fds, types, call, o->real_path));
}

/* Those two descriptors are what the call has made, and not of before it. */
static bool makes_pair(const struct call_types *types)
{
	for (size_t i = 0; types->types && i < types->count; i++) {
		if (types->types[i]->form == ARGUMENT_AS_FD_PAIR)
			return true;
	}
	return false;
}

/* Arguments are of before the call, its result of after. */
static int tell(struct stream_state *s, const struct syscalls_call *call, struct sooth_error *err)
{
	const struct call_types *types = call_table_get(s->types, call->abi, call->number);
	struct stream_row row = { .record = call->record,
		.duration_ns = call->duration_ns,
		.duration_state = call->duration_state,
		.result = call->result,
		.result_state = call->result_state };
	bool is_selected = is_requested_for(s, call, types), is_pair = makes_pair(types),
	     is_on_path;

	if (is_selected && !is_pair)
		describe(s, call, types, &row);
	is_on_path = is_selected && touches(s, call, types);
	fd_follow_take(&s->fds, &call->record);
	if (!is_selected || !(is_on_path || makes(s, call, types)))
		return 0;
	if (is_pair)
		describe(s, call, types, &row);
	describe_result(s, call, types, &row);
	put_time(s, call->record.time_ns);
	return put_row(s, call, types, &row, err);
}

/* Not where single calls were chosen by what they did: an end is no answer to that. */
static int emit_exit(
	struct stream_state *s, const struct process_leave *leave, struct sooth_error *err)
{
	struct process_id id = process_id_of(&leave->record);
	struct call_exit e = { .leave = leave,
		.process = fd_follow_process(&s->fds, &id),
		.utc_ns = leave->record.time_ns + (uint64_t)s->realtime_offset_ns,
		.utc_state = s->has_clock ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.is_host = s->options.is_host };

	if (s->options.only_failed || s->options.path || s->has_counts)
		return 0;
	put_time(s, leave->record.time_ns);
	e.time = span_of((const char *)s->time.data, s->time.size);
	return call_exit_emit(s->output, &e, err);
}

static int begin_once(struct stream_state *s, struct sooth_error *err)
{
	if (s->has_section)
		return 0;
	s->has_section = true;
	return output_section(s->output, s->options.is_host ? &host_section : &stream_section, err);
}

static void take_clock(struct stream_state *s, const struct sooth_record *r)
{
	const void *known;

	if ((known = record_as(r, STREAM_SEGMENT, sizeof(struct stream_segment))))
		s->realtime_offset_ns = ((const struct stream_segment *)known)->realtime_offset_ns;
	else if ((known = record_as(r, STREAM_TICK, sizeof(struct stream_tick))))
		s->realtime_offset_ns = ((const struct stream_tick *)known)->realtime_offset_ns;
	s->has_clock |= known != NULL;
}

static int take(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct stream_state *s = state;

	s->has_counts |= r->kind == SYSCALLS_COUNT;
	s->has_calls |= r->kind == SYSCALLS_CALL;
	take_clock(s, r);
	call_notes_take(&s->notes, r);
	int status = 0;

	if (record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST))
		return tell(s, (const void *)r, err);
	if (record_as(r, PROCESS_LEAVE, sizeof(struct process_leave)))
		status = emit_exit(s, (const void *)r, err);
	fd_follow_take(&s->fds, r);
	return status;
}

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct stream_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct syscall_stream_options *)options;
	s->types = calloc(1, sizeof(*s->types));
	call_backlog_init(&s->backlog, &s->fds, take, s);
	s->backlog.is_over = s->options.only_numbers; /* nobody reads anything then */
	if (fd_follow_init(&s->fds) || !s->types)
		return error_no_memory(err);
	if (call_notes_init(&s->notes, err))
		return err->code;
	return syscall_set_parse(&s->set, s->options.set, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct stream_state *s = state;
	int status = begin_once(s, err);

	return status ? status : call_backlog_push(&s->backlog, batch, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct stream_state *s = state;
	int status = begin_once(s, err);

	if (!status)
		status = call_backlog_end(&s->backlog, err);
	if (s->has_counts && !s->has_calls)
		output_limit(s->output, "each call", "calls were counted, not kept",
			"`sooth trace -c` shows the counts; `sooth record --stream` keeps each "
			"call");
	return status ? status : call_notes_emit(&s->notes, s->output, err);
}

static void fini(void *state)
{
	struct stream_state *s = state;

	struct buffer *all[] = { &s->time, &s->arguments, &s->result, &s->fd_name, &s->path };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buffer_fini(all[i]);
	call_backlog_fini(&s->backlog);
	fd_follow_fini(&s->fds);
	call_notes_fini(&s->notes);
	free(s->types);
}

static const struct sooth_schema *const tables[] = { &stream_schema, &host_schema, NULL };

const struct stage_type stage_syscall_stream = {
	.name = "syscall-stream",
	.help = "system calls, a line each",
	.shows = "syscalls",
	.tables = tables,
	.state_size = sizeof(struct stream_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};

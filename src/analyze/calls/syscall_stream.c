/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls, one per line, as they return: arguments by type (call_written.h), descriptors with
 * their files (fd_follow.h). */
#include "analyze/calls/syscall_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "analyze/calls/call_about.h"
#include "analyze/calls/call_fold.h"
#include "analyze/calls/call_notes.h"
#include "analyze/calls/call_written.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/units.h"
#include "bpf/aggregate.h"
#include "explain/output.h"
#include "explain/stage.h"
#include "model/errno_names.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "model/stream_records.h"
#include "probes/signal_names.h"
#include "probes/syscall_names.h"
#include "probes/syscall_set.h"
#include "probes/syscalls.h"

/* --- what a call returned: numbers are written as the arguments of their kind are --- */

/* Returns whether the call is fcntl(2), whose command determines the result. */
static bool is_control(const struct syscall_row *row)
{
	return row->argument_count > 2 && syscall_argument(row, 2)->form == ARGUMENT_AS_CONTROL;
}

/* Writes a number and its flags: "0x8002 (O_RDWR|O_LARGEFILE)", "10 (SIGUSR1)". */
static void put_named(const struct call_text *w, const struct flag_table *flags)
{
	uint64_t result = (uint64_t)w->call->result;

	if (flags->one_of == ~0ull)
		buffer_u64(w->out, result);
	else
		written_put_hex(w->out, result);
	if (!result && !(flags->one_of && flag_name(flags, 0)))
		return;
	buffer_string(w->out, " (");
	call_put_flags(w->out, flags, w->call->abi, result);
	buffer_char(w->out, ')');
}

static bool returns_descriptor(const struct call_text *w)
{
	return syscall_returns_descriptor(w->row) ||
	       (is_control(w->row) && written_control_copies(w->call->arguments[1]));
}

/* Writes the result: "3</etc/passwd>", "831", "0x7f...", or in the format of the call. */
static void call_put_result(const struct call_text *w)
{
	const struct flag_table *flags =
		is_control(w->row) ? written_control_result(w->call->arguments[1]) : NULL;

	if (aggregate_is_error(w->call->result))
		buffer_string(w->out, "-1");
	else if (w->fds && returns_descriptor(w))
		written_put_fd(w, w->call->result);
	else if (flags)
		put_named(w, flags);
	else if (w->row->traits & SYSCALL_RETURNS_ADDRESS)
		written_put_hex(w->out, (uint64_t)w->call->result);
	else if (w->row->traits & SYSCALL_RETURNS_MODE)
		written_put_octal(w->out, (uint64_t)w->call->result);
	else
		buffer_i64(w->out, w->call->result);
}

#define SIGNAL_MASK 0x7f
#define CORE_FLAG   0x80

/* --- ends of processes among their calls, a line each --- */

#define EXIT_ROW(F, S)                                                                             \
	F(S, RECORD, U64, time_ns, time_ns, ALWAYS, "time the process ended (CLOCK_MONOTONIC)",    \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, U64, utc_ns, MAYBE(utc_state), "time the process ended, ns since 1970",               \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, time, MAYBE(time_state),                                                        \
		"time of the exit as requested: time of day, or since the previous line")          \
	F(S, PID)                                                                                  \
	F(S, TEXT, thread, ALWAYS, "name of the last thread of the process")                       \
	F(S, TEXT, process, ALWAYS, "name of the process; empty: unknown")                         \
	F(S, NAMED, U32, status, wait_status, MAYBE(status_state),                                 \
		"exit status of the process as wait(2) encodes it")                                \
	F(S, TEXT, end, ALWAYS, "how the process ended: exit status or signal, as text")

ROW_STRUCT(exit_row, EXIT_ROW);

#define EXIT_SCHEMA(line_) ROW_SCHEMA_OF(EXIT_ROW, "exits", exit_row, 0, .line = line_)

static const struct sooth_schema exit_schema = EXIT_SCHEMA("{time} {pid} {thread}: +++ {end} +++");
static const struct sooth_schema exit_host_schema =
	EXIT_SCHEMA("{time} {pid} {process} {pid} {thread}: +++ {end} +++");

/* By whether each line names its process. */
static const struct section exit_sections[] = {
	{ .name = "exit", .schema = &exit_schema, .shape = SECTION_STREAM },
	{ .name = "exit", .schema = &exit_host_schema, .shape = SECTION_STREAM },
};

/* Rows interleaved with the calls: `asides` of explain/sink.h. */
static const struct section *const exit_asides[] = { &exit_sections[false], NULL };
static const struct section *const exit_host_asides[] = { &exit_sections[true], NULL };

static void put_exit_status(struct buffer *out, uint32_t status)
{
	char name[SIGNAL_NAME_SIZE];

	if (status & SIGNAL_MASK)
		buffer_format(out, "killed by %s%s", signal_name(name, status & SIGNAL_MASK),
			status & CORE_FLAG ? " (core dumped)" : "");
	else
		buffer_format(out, "exited with %u", status >> 8 & 0xff);
}

/* --- the stream --- */

#define STREAM_ROW(F, S)                                                                           \
	F(S, RECORD, U64, time_ns, time_ns, ALWAYS,                                                \
		"time the system call returned (CLOCK_MONOTONIC)", .unit = SOOTH_UNIT_TIME_NS)     \
	F(S, U64, utc_ns, MAYBE(utc_state), "time the system call returned, ns since 1970",        \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, time, MAYBE(time_state),                                                        \
		"time of the call as requested: time of day, or since the previous call")          \
	F(S, PID)                                                                                  \
	F(S, TID)                                                                                  \
	F(S, TEXT, thread, ALWAYS, "name of the thread")                                           \
	F(S, TEXT, process, ALWAYS, "name of the process; empty: unknown")                         \
	F(S, TEXT, name, ALWAYS, "name of the system call")                                        \
	F(S, ENUM8, category, ALWAYS, "category of the system call: file, network, memory, ...",   \
		.names = &syscall_category_names)                                                  \
	F(S, TEXT, arguments, ALWAYS, "arguments of the system call, as text")                     \
	F(S, I64, result, MAYBE(result_state), "return value of the system call")                  \
	F(S, TEXT, result_text, WITH(result_state),                                                \
		"return value as text; a file descriptor with what it refers to")                  \
	F(S, ERRNO32, error, ALWAYS, "errno name if the system call failed")                       \
	F(S, TEXT, error_text, ALWAYS, "description of the error")                                 \
	F(S, I64, fd, MAYBE(fd_state),                                                             \
		"file descriptor the call uses (first argument) or returns")                       \
	F(S, TEXT, fd_name, WITH(fd_state),                                                        \
		"file or socket the file descriptor refers to; empty: unknown")                    \
	F(S, TEXT, path, MAYBE(path_state), "path argument of the system call, absolute if known") \
	F(S, U64, duration_ns, MAYBE(duration_state),                                              \
		"time from the start of the call to its return", .unit = SOOTH_UNIT_NS)

ROW_TABLE(stream, STREAM_ROW, "calls", stream_row,
	.line = "{time} {tid} {thread}: {name}({arguments}) = {result_text}[ {error}][ "
		"({error_text})] <{duration_ns}>");

/* schema for rows of many processes */
static ROW_SCHEMA(host, STREAM_ROW, "calls", stream_row,
	.line = "{time} {pid} {process} {tid} {thread}: {name}({arguments}) = {result_text}"
		"[ {error}][ ({error_text})] <{duration_ns}>");

static const struct section stream_section =
	SECTION_OF("call", stream_schema, STREAM, .asides = exit_asides);

static const struct section host_section =
	SECTION_OF("call", host_schema, STREAM, .asides = exit_host_asides);

struct stream_state {
	struct output *output;
	struct syscall_stream_options options;
	struct syscall_set set;
	struct call_fold fold;
	struct call_notes notes;
	struct buffer time, arguments, result, fd_name, path;
	int64_t realtime_offset_ns;
	uint64_t before_ns; /* time of the previous line */
	bool has_clock;
	bool has_section;
	bool has_counts, has_calls;
	/* the current call, until its effect is applied */
	struct stream_row row;
	bool is_requested, is_on_path;
};

/* --- a row --- */

static void put_time(struct stream_state *s, uint64_t time_ns)
{
	/* The stream may give any values: sums that are too large wrap. */
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

/* Sets the descriptor of the call and its name. `fd`: the first argument, or the result of a call
 * that made a descriptor, once that descriptor is followed. */
static void put_fd(
	struct stream_state *s, const struct folded_call *c, int64_t fd, struct stream_row *row)
{
	row->fd = fd;
	row->fd_state = SOOTH_STATE_VALUE;
	if (fd_follow_get(&s->fold.fds, &c->process, fd))
		fd_follow_put(&s->fold.fds, &c->process, fd, &s->fd_name);
}

static int put_row(struct stream_state *s, const struct folded_call *c, struct stream_row *row,
	struct sooth_error *err)
{
	const struct syscalls_call *call = c->call;
	const char *error_text = row->error ? errno_text(row->error) : NULL;
	char name[SYSCALL_NAME_SIZE];
	struct span thread = span_of(call->name, strnlen(call->name, sizeof(call->name)));
	struct span process = fd_follow_process(&s->fold.fds, &c->process);
	struct record_tail tail[] = {
		{ &row->name, name, syscall_name(call->abi, call->number, name) },
		tail_buffer(&row->time, &s->time),
		tail_buffer(&row->arguments, &s->arguments),
		tail_buffer(&row->result_text, &s->result),
		tail_string(&row->error_text, error_text ? error_text : ""),
		tail_buffer(&row->fd_name, &s->fd_name),
		tail_buffer(&row->path, &s->path),
		tail_span(&row->thread, thread),
		/* Without a process name, the name of the thread is used. */
		tail_span(&row->process, process.size ? process : thread),
	};

	row->category = c->row->category;
	row->utc_ns = call->record.time_ns + (uint64_t)s->realtime_offset_ns;
	row->utc_state = state_if(s->has_clock);
	return OUTPUT_ROW(s->output, row, tail, ARRAY_SIZE(tail), err);
}

static bool is_requested(const struct stream_state *s, const struct folded_call *c)
{
	const struct syscall_row *row = c->row->name ? c->row : NULL;

	return syscall_set_has(&s->set, row) && (!s->options.calls.failures_only || c->is_error);
}

/* Fills in the part of a row that depends on the descriptors before the call. */
static void fill_call_row(struct stream_state *s, struct folded_call *c, struct stream_row *row)
{
	struct call_text words = { s->options.only_numbers ? NULL : &s->fold.fds, c->row, c->call,
		&s->arguments };
	struct span path;

	if (c->is_error) {
		row->error = c->error;
		row->result = -1;
	}
	buffer_reset(&s->arguments);
	buffer_reset(&s->path);
	buffer_reset(&s->fd_name);
	call_put_arguments(&words);
	path = folded_path(c, &row->path_state);
	buffer_append(&s->path, path.data, path.size);
	row->fd_state = SOOTH_STATE_ABSENT;
	if (c->has_fd)
		put_fd(s, c, c->fd, row);
}

static void describe_result(
	struct stream_state *s, const struct folded_call *c, struct stream_row *row)
{
	struct call_text words = { s->options.only_numbers ? NULL : &s->fold.fds, c->row, c->call,
		&s->result };

	buffer_reset(&s->result);
	call_put_result(&words);
	if (!c->has_fd && syscall_returns_descriptor(c->row) && c->has_returned && !c->is_error)
		put_fd(s, c, c->call->result, row);
}

static bool touches_path(const struct stream_state *s, const struct folded_call *c)
{
	const struct syscall_stream_options *o = &s->options;

	return !o->path || call_touches(&s->fold.fds, c->row, c->call, o->path) ||
	       (o->real_path && call_touches(&s->fold.fds, c->row, c->call, o->real_path));
}

static bool makes_path(const struct stream_state *s, const struct folded_call *c)
{
	const struct syscall_stream_options *o = &s->options;

	return call_made(&s->fold.fds, c->row, c->call, o->path) ||
	       (o->real_path && call_made(&s->fold.fds, c->row, c->call, o->real_path));
}

/* Returns whether the call makes a pair of descriptors. The pair stands in an argument, but exists
 * only after the call; other arguments are resolved before the call. */
static bool makes_pair(const struct folded_call *c)
{
	return c->row->effect.pair;
}

static int emit_call(void *state, struct folded_call *c, struct sooth_error *err)
{
	struct stream_state *s = state;

	(void)err;
	s->row = (struct stream_row){ .record = c->call->record,
		.duration_ns = c->call->duration_ns,
		.duration_state = c->call->duration_state,
		.result = c->call->result,
		.result_state = c->call->result_state };
	s->is_requested = is_requested(s, c);
	if (s->is_requested && !makes_pair(c))
		fill_call_row(s, c, &s->row);
	s->is_on_path = s->is_requested && touches_path(s, c);
	return 0;
}

static int emit_result(void *state, struct folded_call *c, struct sooth_error *err)
{
	struct stream_state *s = state;

	if (!s->is_requested || !(s->is_on_path || makes_path(s, c)))
		return 0;
	if (makes_pair(c))
		fill_call_row(s, c, &s->row);
	describe_result(s, c, &s->row);
	put_time(s, c->call->record.time_ns);
	return put_row(s, c, &s->row, err);
}

/* Emits the end of a process, unless only some single calls were selected. */
static int emit_exit(
	struct stream_state *s, const struct process_leave *leave, struct sooth_error *err)
{
	struct process_id id = process_id_of(&leave->record);
	struct span process = fd_follow_process(&s->fold.fds, &id);
	struct span thread = span_of(leave->name, strnlen(leave->name, sizeof(leave->name)));
	struct exit_row row = { .record = leave->record,
		.utc_ns = leave->record.time_ns + (uint64_t)s->realtime_offset_ns,
		.utc_state = state_if(s->has_clock),
		.status = leave->status,
		.status_state = leave->status_state };
	struct buffer end = { 0 };
	int status;

	if (s->options.calls.failures_only || s->options.path || s->has_counts)
		return 0;
	put_time(s, leave->record.time_ns);
	if (leave->status_state)
		buffer_string(&end, "ended");
	else
		put_exit_status(&end, leave->status);
	struct record_tail tail[] = {
		tail_buffer(&row.time, &s->time),
		tail_span(&row.thread, thread),
		tail_span(&row.process, process.size ? process : thread),
		tail_buffer(&row.end, &end),
	};
	status = OUTPUT_INTERLEAVED(
		s->output, &exit_sections[s->options.is_host], &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&end);
	return status;
}

static int begin_once(struct stream_state *s, struct sooth_error *err)
{
	if (s->has_section)
		return 0;
	s->has_section = true;
	return output_section(s->output, s->options.is_host ? &host_section : &stream_section, err);
}

static int handle_record(void *state, const struct sooth_record *r, struct sooth_error *err)
{
	struct stream_state *s = state;

	s->has_counts |= r->kind == SYSCALLS_COUNT;
	s->has_calls |= r->kind == SYSCALLS_CALL;
	s->has_clock |= record_reads_clock(r, &s->realtime_offset_ns);
	call_notes_add_record(&s->notes, r);
	if (record_as(r, PROCESS_LEAVE, sizeof(struct process_leave)))
		return emit_exit(s, (const void *)r, err);
	return 0;
}

static const struct call_fold_consumer consumer = {
	.record = handle_record, .call = emit_call, .after = emit_result
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct stream_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct syscall_stream_options *)options;
	call_fold_init(&s->fold, &consumer, s);
	if (s->options.only_numbers) /* no snapshots are taken then */
		call_fold_begin_at_once(&s->fold);
	if (call_notes_init(&s->notes, err))
		return err->code;
	return syscall_set_of(&s->set, &s->options.calls, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct stream_state *s = state;
	int status = begin_once(s, err);

	return status ?: call_fold_push(&s->fold, batch, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct stream_state *s = state;
	int status = begin_once(s, err);

	if (!status)
		status = call_fold_end(&s->fold, err);
	if (s->has_counts && !s->has_calls)
		output_limit(s->output, "each call",
			"the kernel only counted the calls: single calls were not recorded",
			"`sooth trace -c FILE.sooth` shows the counts; to record each call: `sooth "
			"record --stream -o FILE.sooth PID`");
	return status ?: call_notes_emit(&s->notes, s->output, err);
}

static void fini(void *state)
{
	struct stream_state *s = state;

	struct buffer *all[] = { &s->time, &s->arguments, &s->result, &s->fd_name, &s->path };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		buffer_fini(all[i]);
	call_fold_fini(&s->fold);
	call_notes_fini(&s->notes);
}

static const struct sooth_schema *const tables[] = { &stream_schema, &host_schema, NULL };

const struct stage_type stage_syscall_stream = {
	.name = "syscall-stream",
	.help = "every system call, one line each",
	.shows = "syscalls",
	.tables = tables,
	STAGE_FUNCTIONS(struct stream_state),
};

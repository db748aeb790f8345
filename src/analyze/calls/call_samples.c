/* SPDX-License-Identifier: BSD-2-Clause */
/* The system calls that threads were found in, by readings now and then, which need no privilege.
 * Nothing here is a count of calls, except what the kernel counts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/map_sorted.h"
#include "base/order.h"
#include "explain/stage.h"
#include "model/process_id.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/syscall_names.h"
#include "probes/threads.h"

#define CALLS_MAX   4096
#define THREADS_MAX 65536
#define CHANNEL_MAX 64

#define SUMMARY_ROW(F, S)                                                                          \
	F(S, NAMED, U64, threads, thread_count, ALWAYS, "threads that were read")                  \
	F(S, U64, readings, ALWAYS, "readings: what one thread was doing at one time")             \
	F(S, NAMED, U64, inside, readings_in_calls, ALWAYS, "readings that found a system call")   \
	F(S, U64, interval_ns, MAYBE(interval_state), "mean time between readings of a thread",    \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, reads, MAYBE(io_state),                                                          \
		"calls that read, between the first and last reading, counted by the kernel")      \
	F(S, U64, read_bytes, WITH(io_state), "bytes that these calls read",                       \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, writes, WITH(io_state), "calls that wrote, counted by the kernel")               \
	F(S, U64, written_bytes, WITH(io_state), "bytes that these calls wrote",                   \
		.unit = SOOTH_UNIT_BYTES)

ROW_TABLE(summary, SUMMARY_ROW, "call_samples", summary_row,
	.line = "by samples: {readings_in_calls} of {readings} readings found a system call "
		"({thread_count thread}[, one reading every {interval_ns}]); calls shorter than "
		"that are missed[; counted by the kernel: {reads} calls that read "
		"{read_bytes}][, {writes} that wrote {written_bytes}]");

#define CALL_ROW(F, S)                                                                             \
	F(S, TEXT, call, ALWAYS,                                                                   \
		"system call that a thread was in; in brackets: what it did outside of calls",     \
		.is_key = true)                                                                    \
	F(S, U64, readings, ALWAYS, "readings that found a thread in it", .label = "READINGS")     \
	F(S, REAL, share_percent, ALWAYS, "share of all readings", .label = "SHARE%",              \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, TEXT, wait_channel, MAYBE(wait_channel_state),                                        \
		"kernel function that a thread waited in, at the last of these readings",          \
		.may_shrink = true)

ROW_TABLE(call, CALL_ROW, "calls_found", call_row);

static const struct sooth_schema *const tables[] = { &summary_schema, &call_schema, NULL };
static const struct section summary_section = SECTION_OF("call_samples", summary_schema, OBJECT);
static const struct section call_section =
	SECTION_OF("calls_found", call_schema, TABLE, .if_empty = "no thread was read");

enum place { IN_CALL, RUNNING, WAITING, STOPPED };
static const char *const outside[] = { "", "[running]", "[waiting outside of a call]",
	"[stopped]" };

struct call_key {
	uint32_t place; /* enum place */
	uint32_t abi, number;
};

struct call_found {
	struct call_key key;
	uint64_t readings;
	char channel[CHANNEL_MAX]; /* empty: none */
};

struct thread_key {
	struct process_id process;
	uint64_t tid, thread_start_ticks;
};

struct thread_read {
	uint64_t readings, first_ns, last_ns;
	uint64_t reads[2], read_bytes[2], writes[2], written_bytes[2]; /* first, last */
	bool has_io;
};

struct samples_state {
	struct output *output;
	struct map calls;   /* call_key -> call_found */
	struct map threads; /* thread_key -> thread_read */
	uint64_t readings, inside, refused;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct samples_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	map_init(&s->calls, sizeof(struct call_key), sizeof(struct call_found), CALLS_MAX);
	map_init(&s->threads, sizeof(struct thread_key), sizeof(struct thread_read), THREADS_MAX);
	return 0;
}

static void add_thread(struct samples_state *s, const struct threads_thread *t)
{
	struct thread_key key = { .process = process_id_of(&t->record),
		.tid = t->record.tid,
		.thread_start_ticks = t->thread_start_ticks };
	struct thread_read *thread = map_put(&s->threads, &key, NULL);
	size_t at = thread && thread->readings;

	if (!thread)
		return;
	if (!thread->readings++)
		thread->first_ns = t->record.time_ns;
	thread->last_ns = t->record.time_ns;
	if (t->io_state != SOOTH_STATE_VALUE)
		return;
	at = thread->has_io;
	thread->has_io = true;
	for (; at < 2; at++) {
		thread->reads[at] = t->reads;
		thread->read_bytes[at] = t->read_bytes;
		thread->writes[at] = t->writes;
		thread->written_bytes[at] = t->written_bytes;
	}
}

static void add_place(struct samples_state *s, const struct threads_thread *t)
{
	bool is_in_call = t->syscall_state == SOOTH_STATE_VALUE;
	struct span channel = t->wait_channel_state == SOOTH_STATE_VALUE
				      ? record_text(&t->record, &t->wait_channel)
				      : span_of("", 0);
	struct call_key key = { .place = is_in_call			      ? IN_CALL
					 : t->state == 'R'		      ? RUNNING
					 : t->state == 'T' || t->state == 't' ? STOPPED
									      : WAITING };
	struct call_found *found;

	if (is_in_call) {
		key.abi = t->abi;
		key.number = t->syscall;
	}
	found = map_put(&s->calls, &key, NULL);
	if (!found)
		return;
	found->key = key;
	found->readings++;
	memset(found->channel, 0, sizeof(found->channel));
	memcpy(found->channel, channel.data,
		channel.size < CHANNEL_MAX ? channel.size : CHANNEL_MAX - 1);
}

/* Refuses to go on if no thread could be read. */
static int check_readings(const struct samples_state *s, struct sooth_error *err)
{
	if (s->readings || !s->refused)
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "read the calls of the process");
	error_why(err, "it belongs to another user, or may not be traced");
	return error_remedy(err, "run sooth as root");
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct samples_state *s = state;

	batch_for_each (r, batch) {
		const struct threads_thread *t = record_as(r, THREADS_THREAD, sizeof(*t));

		if (!t || t->state == 'Z' || t->state == 'X')
			continue;
		if (state_is_unmeasured(t->syscall_state)) {
			s->refused++;
			continue;
		}
		s->readings++;
		s->inside += t->syscall_state == SOOTH_STATE_VALUE;
		add_thread(s, t);
		add_place(s, t);
	}
	return check_readings(s, err);
}

/* --- rows --- */

static int emit_summary(struct samples_state *s, struct sooth_error *err)
{
	struct summary_row row = {
		.threads = s->threads.count, .readings = s->readings, .inside = s->inside
	};
	uint64_t observed_ns = 0, gaps = 0;
	bool has_io = false;

	map_for_each_value (&s->threads, const struct thread_read *, t) {
		observed_ns += t->last_ns - t->first_ns;
		gaps += t->readings - 1;
		has_io |= t->has_io;
		row.reads += t->reads[1] - t->reads[0];
		row.read_bytes += t->read_bytes[1] - t->read_bytes[0];
		row.writes += t->writes[1] - t->writes[0];
		row.written_bytes += t->written_bytes[1] - t->written_bytes[0];
	}
	row.interval_ns = gaps ? observed_ns / gaps : 0;
	row.interval_state = state_if(gaps);
	row.io_state = has_io ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	return OUTPUT_OBJECT(s->output, &summary_section, &row, NULL, 0, err);
}

static int emit_call(
	struct samples_state *s, const struct call_found *found, struct sooth_error *err)
{
	char name[SYSCALL_NAME_SIZE];
	struct span call =
		found->key.place == IN_CALL
			? span_of(name, syscall_name(found->key.abi, found->key.number, name))
			: span_of_string(outside[found->key.place]);
	struct call_row row = { .readings = found->readings,
		.share_percent = 100 * (double)found->readings / (double)s->readings,
		.wait_channel_state = state_if(found->channel[0]) };
	struct record_tail tail[] = { tail_span(&row.call, call),
		tail_string(&row.wait_channel, found->channel) };

	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int compare_by_readings(const void *left, const void *right)
{
	const struct call_found *a = left, *b = right;

	return larger_first(a->readings, b->readings) ?: memcmp(&a->key, &b->key, sizeof(a->key));
}

static int finish(void *state, struct sooth_error *err)
{
	struct samples_state *s = state;
	_cleanup_free_ struct call_found *sorted = map_sorted(&s->calls, compare_by_readings);
	int status;

	if (!sorted)
		return error_no_memory(err);
	status = emit_summary(s, err);
	if (!status)
		status = output_section(s->output, &call_section, err);
	for (size_t i = 0; i < s->calls.count && !status; i++)
		status = emit_call(s, &sorted[i], err);
	return status;
}

static void fini(void *state)
{
	struct samples_state *s = state;

	map_fini(&s->calls);
	map_fini(&s->threads);
}

const struct stage_type stage_call_samples = {
	.name = "call-samples",
	.help = "which system calls threads were found in, by samples",
	.tables = tables,
	STAGE_FUNCTIONS(struct samples_state),
};

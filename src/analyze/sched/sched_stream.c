/* SPDX-License-Identifier: BSD-2-Clause */
/* States of threads, one per line, as they end: length, next state, and what ended a wait. */
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/stream_records.h"
#include "probes/sched.h"

#define CHANGE_ROW(F, S)                                                                           \
	F(S, RECORD, U64, time_ns, time_ns, ALWAYS, "time the state ended (CLOCK_MONOTONIC)",      \
		.unit = SOOTH_UNIT_TIME_NS)                                                        \
	F(S, U64, utc_ns, MAYBE(utc_state), "time the state ended, ns since 1970",                 \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, time, ALWAYS, "time the state ended, in seconds")                               \
	F(S, PID)                                                                                  \
	F(S, TID)                                                                                  \
	F(S, TEXT, process, ALWAYS, "name of the process")                                         \
	F(S, TEXT, thread, ALWAYS, "name of the thread")                                           \
	F(S, ENUM8, state, ALWAYS, "state that ended", .names = &sched_state_names)                \
	F(S, U64, duration_ns, ALWAYS, "time in that state", .unit = SOOTH_UNIT_NS)                \
	F(S, ENUM8, next, MAYBE(next_state), "state that followed", .names = &sched_state_names)   \
	F(S, RECORD, U16, cpu, cpu_number, ALWAYS, "CPU on which the state ended")                 \
	F(S, NAMED, BOOL, is_old, is_since_attach, ALWAYS,                                         \
		"the state began before sooth attached: the time is a part of it")                 \
	F(S, NAMED, BOOL, is_open, is_open, ALWAYS, "the state had not ended at the end")          \
	F(S, TEXT, waker, MAYBE(waker_state), "thread that ended the wait")                        \
	F(S, U32, waker_pid, WITH(waker_state), "process that ended the wait")                     \
	F(S, U32, waker_tid, WITH(waker_state), "thread id of the thread that ended the wait")     \
	F(S, TEXT, note, MAYBE(note_state), "what is missing of the state", .is_hidden = true)

ROW_TABLE(change, CHANGE_ROW, "states", change_row,
	.line = "{time} {tid} {thread}: {state} {duration_ns}[ ({note})][, then {next}]"
		"[, by {waker}][ ({waker_tid})]");

static const struct section change_section = SECTION_OF("state", change_schema, STREAM);

struct changes_state {
	struct output *output;
	int64_t realtime_offset_ns;
	bool has_clock, has_section, has_times, has_changes;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct changes_state *s = state;

	(void)options;
	(void)err;
	s->output = output;
	return 0;
}

static int begin_once(struct changes_state *s, struct sooth_error *err)
{
	if (s->has_section)
		return 0;
	s->has_section = true;
	return output_section(s->output, &change_section, err);
}

static struct span span_of_name(const char text[SCHED_NAME_BYTES])
{
	return span_of(text, strnlen(text, SCHED_NAME_BYTES));
}

static const char *note_text(uint8_t flags)
{
	if (flags & SCHED_LAST)
		return "the thread ended";
	switch (flags & (SCHED_OPEN | SCHED_OLD)) {
	case SCHED_OPEN | SCHED_OLD:
		return "all the time";
	case SCHED_OPEN:
		return "not over";
	case SCHED_OLD:
		return "since attach";
	default:
		return NULL;
	}
}

static int emit_change(
	struct changes_state *s, const struct sched_change *c, struct sooth_error *err)
{
	const char *note = note_text(c->flags);
	struct change_row row = { .record = c->record,
		.utc_ns = c->record.time_ns + (uint64_t)s->realtime_offset_ns,
		.utc_state = s->has_clock ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.state = c->state,
		.duration_ns = c->duration_ns,
		.next = c->next,
		.next_state = c->next_state,
		.is_old = (c->flags & SCHED_OLD) != 0,
		.is_open = (c->flags & SCHED_OPEN) != 0,
		.waker_state = c->waker_state,
		.waker_pid = c->waker_pid,
		.waker_tid = c->waker_tid,
		.note_state = note ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	_cleanup_(buffer_fini) struct buffer time = { 0 };

	buffer_format(&time, "%llu.%06llu", (unsigned long long)(c->record.time_ns / NS_PER_S),
		(unsigned long long)(c->record.time_ns % NS_PER_S / 1000));
	struct record_tail tail[] = { tail_buffer(&row.time, &time),
		tail_span(&row.process, span_of_name(c->process)),
		tail_span(&row.thread, span_of_name(c->thread)),
		tail_span(&row.waker, span_of_name(c->waker)),
		tail_string(&row.note, note ? note : "") };

	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct changes_state *s = state;
	int status = begin_once(s, err);

	batch_for_each (r, batch) {
		const struct sched_change *c = record_as(r, SCHED_CHANGE, sizeof(*c));

		s->has_clock |= record_reads_clock(r, &s->realtime_offset_ns);
		s->has_times |= r->kind == SCHED_TIMES;
		if (!c || status)
			continue;
		s->has_changes = true;
		status = emit_change(s, c, err);
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct changes_state *s = state;

	if (s->has_times && !s->has_changes)
		output_limit(s->output, "each state",
			"the kernel only summed the times: single states were not recorded",
			"`sooth sched FILE.sooth` shows the sums; to record each state: `sooth "
			"record --stream --probe sched -o FILE.sooth PID`");
	return begin_once(s, err);
}

static void fini(void *state)
{
	(void)state;
}

static const struct sooth_schema *const tables[] = { &change_schema, NULL };

const struct stage_type stage_sched_stream = {
	.name = "sched-stream",
	.help = "every state of every thread, one line each",
	.shows = "sched",
	.tables = tables,
	STAGE_FUNCTIONS(struct changes_state),
};

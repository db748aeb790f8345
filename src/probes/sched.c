/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the sched probe. */
#include "probes/sched.h"

#include "model/probe.h"
#include "model/schema.h"

static const char *const state_texts[SCHED_STATES] = {
	[SCHED_RUNS] = "running",
	[SCHED_WOKEN] = "woken",
	[SCHED_PREEMPTED] = "preempted",
	[SCHED_SLEEPS] = "sleeping",
	[SCHED_BLOCKS] = "blocked",
	[SCHED_STOPPED] = "stopped",
};
const struct sooth_names sched_state_names = { SCHED_STATES, state_texts };

#define TIME(member, help)                                                                         \
	FIELD_NUMBER(sched_times, member, help, .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)
#define COUNT(member, help) FIELD_NUMBER(sched_times, member, help, .merge = SOOTH_MERGE_SUM)

static const struct sooth_field times_fields[] = {
	FIELD_PID(sched_times),
	FIELD_TID(sched_times),
	FIELD_NUMBER_AS(sched_times, from_ns, start_ns,
		"start of the time window; time_ns is its end", .unit = SOOTH_UNIT_TIME_NS,
		.merge = SOOTH_MERGE_MIN),
	TIME(running_ns, "time on a CPU"),
	TIME(woken_ns, "time from a wake-up until it ran"),
	TIME(preempted_ns, "time in which another thread had its CPU"),
	TIME(sleeping_ns, "time in interruptible waits: a signal can end them"),
	TIME(blocked_ns, "time in uninterruptible waits: mostly for a disk or a page of memory"),
	FIELD_NUMBER_AS(sched_times, stopped_ns, stopped_time_ns,
		"time stopped by a signal, a debugger or the control group", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_SUM),
	COUNT(voluntary, "switches to another thread because it had to wait"),
	COUNT(involuntary, "switches to another thread though it could have run on"),
	COUNT(wakeups, "waits that ended"),
	COUNT(migrations, "moves to another CPU"),
	FIELD_NUMBER(sched_times, longest_ns, "longest time in which it could have run and did not",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX),
	FIELD_NUMBER(sched_times, longest_at_ns, "end of that time", .unit = SOOTH_UNIT_TIME_NS),
	FIELD_OF(HISTOGRAM, sched_times, histogram, latency_ns,
		"histogram of times from a wake-up until it ran: slot i from 2^i to 2^(i+1) ns",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM),
	FIELD_OF(CHARS, sched_times, process, process, "name of the process"),
	FIELD_OF(CHARS, sched_times, thread, thread, "name of the thread"),
};

static const struct sooth_field change_fields[] = {
	FIELD_OF(UNSIGNED, sched_change, record.time_ns, time_ns, "time the state ended",
		.unit = SOOTH_UNIT_TIME_NS),
	FIELD_PID(sched_change),
	FIELD_TID(sched_change),
	FIELD_OF(ENUM, sched_change, state, state, "state that ended", .names = &sched_state_names),
	FIELD_NUMBER(sched_change, duration_ns, "time in that state", .unit = SOOTH_UNIT_NS),
	FIELD_WITH(ENUM, sched_change, next, next_state, "state that followed; absent: not known",
		.names = &sched_state_names),
	FIELD_NUMBER_AS(sched_change, flags, state_flags,
		"1: not over when the observation ended; 2: begun before that; 4: the thread "
		"ended with it"),
	FIELD_WITH(UNSIGNED, sched_change, waker_pid, waker_state, "process that ended the wait"),
	FIELD_WITH(UNSIGNED, sched_change, waker_tid, waker_state, "thread that ended the wait"),
	FIELD_WITH(
		CHARS, sched_change, waker, waker_state, "name of the thread that ended the wait"),
	FIELD_OF(CHARS, sched_change, process, process, "name of the process"),
	FIELD_OF(CHARS, sched_change, thread, thread, "name of the thread"),
};

RECORD_SCHEMA(sched_times, 296, "sched.times", SCHED_TIMES, AGGREGATE, times_fields,
	.time_span = SOOTH_TIME_SPAN_WINDOW);
RECORD_SCHEMA(sched_change, 104, "sched.change", SCHED_CHANGE, EVENT, change_fields);

static const struct sooth_schema *const schemas[] = { &sched_times_schema, &sched_change_schema,
	NULL };

const struct probe probe_sched = {
	.name = "sched",
	.help = "states of threads: running, ready, waiting, stopped; wake-up latency",
	.schemas = schemas,
	.offers = INTEREST_COUNT | INTEREST_STREAM,
	.beside_stream = INTEREST_COUNT,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the stacks probe. */
#include "probes/stacks.h"

#include "model/probe.h"
#include "model/schema.h"

static const struct sooth_field thread_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(stacks_thread, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "time the stack was read" },
	FIELD_PID(stacks_thread),
	FIELD_TID(stacks_thread),
	{ .name = "process",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(stacks_thread, process),
		.help = "name of the process (comm)" },
	{ .name = "thread",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(stacks_thread, thread),
		.help = "name of the thread (comm)" },
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(stacks_thread, state),
		.help = "thread state: R running, S sleeping, D uninterruptible, T stopped, t "
			"traced, Z zombie, I idle" },
	FIELD_AS_WITH(UNSIGNED, stacks_thread, stack, stack_number, stack_state,
		"number of the thread's stack"),
	FIELD_AS_WITH(UNSIGNED, stacks_thread, syscall, call_number, call_state,
		"number of the system call that the thread is executing"),
	FIELD_AS_WITH(UNSIGNED, stacks_thread, abi, call_abi_number, call_state,
		"ABI of the number, as in syscalls.call", .is_hidden = true),
	FIELD_WITH(TEXT, stacks_thread, wait_channel, channel_state,
		"kernel function that the thread waits in"),
	FIELD_WITH(UNSIGNED, stacks_thread, cpu_ns, cpu_state,
		"CPU time of the thread since its start", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_LAST),
	FIELD_TRUTH(stacks_thread, is_on_cpu, "the thread was executing on a CPU"),
	FIELD_TRUTH(stacks_thread, has_moved,
		"the thread ran while its stack was read: frames may be of two moments"),
};

static const struct sooth_field snapshot_fields[] = {
	FIELD_PID(stacks_snapshot),
	FIELD_WITH(UNSIGNED, stacks_snapshot, threads, threads_state,
		"number of threads that were read"),
};

RECORD_SCHEMA(stacks_thread, 104, "stacks.thread", STACKS_THREAD, SAMPLE, thread_fields);
RECORD_SCHEMA(stacks_snapshot, 40, "stacks.snapshot", STACKS_SNAPSHOT, SAMPLE, snapshot_fields);

static const struct sooth_schema *const schemas[] = { &stacks_thread_schema,
	&stacks_snapshot_schema, &stacks_stack_schema, &stacks_frame_schema, NULL };

const struct probe probe_stacks = {
	.name = "stacks",
	.help = "the stack of every thread at one moment",
	.schemas = schemas,
	.offers = INTEREST_SAMPLE | INTEREST_BRIEF,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the threads probe. */
#include "probes/threads.h"

#include "core/probe.h"
#include "model/schema.h"

_Static_assert(sizeof(struct threads_thread) == 232, "its layout is part of the capture format");
_Static_assert(sizeof(struct threads_process) == 40, "its layout is part of the capture format");

static const char *const policy_names[THREADS_POLICIES] = {
	[THREADS_OTHER] = "other",
	[THREADS_FIFO] = "fifo",
	[THREADS_RR] = "rr",
	[THREADS_BATCH] = "batch",
	[THREADS_IDLE] = "idle",
	[THREADS_DEADLINE] = "deadline",
	[THREADS_EXT] = "ext",
};
const struct sooth_names threads_policy_names = { THREADS_POLICIES, policy_names };

static const char *const abi_names[] = { "x86-64", "aarch64", "i386", "x32", "arm" };
static const struct sooth_names abis = { sizeof(abi_names) / sizeof(abi_names[0]), abi_names };

#define ARGUMENT(name_, i_)                                                                        \
	{                                                                                          \
		.name = name_, .type = SOOTH_FIELD_UNSIGNED,                                       \
		FIELD_AT(threads_thread, arguments[i_]),                                           \
		FIELD_STATE_AT(threads_thread, syscall_state), .unit = SOOTH_UNIT_HEX,             \
		.is_hidden = true, .help = "argument of that call"                                 \
	}

static const struct sooth_field thread_fields[] = {
	FIELD_PID(threads_thread),
	FIELD_TID(threads_thread),
	FIELD_STRING(threads_thread, name, "name of the thread (comm)"),
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(threads_thread, state),
		.help = "R running, S sleeping, D uninterruptible, T stopped, t traced, Z zombie, "
			"I idle" },
	FIELD_NUMBER(threads_thread, thread_start_ticks,
		"start, in clock ticks after boot; names the thread with its tid",
		.is_hidden = true),
	FIELD_NUMBER(threads_thread, cpu_ns, "CPU time so far", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(threads_thread, cpu_state), .merge = SOOTH_MERGE_LAST),
	FIELD_TRUTH_AS(threads_thread, cpu_is_ticks, is_cpu_in_ticks,
		"the CPU time has the resolution of a clock tick", .is_hidden = true),
	FIELD_NUMBER(threads_thread, waited_ns, "time it was runnable and waited for a CPU",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(threads_thread, waited_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, voluntary_switches, "times it gave up the CPU",
		FIELD_STATE_AT(threads_thread, switches_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, involuntary_switches, "times the CPU was taken from it",
		FIELD_STATE_AT(threads_thread, switches_state), .merge = SOOTH_MERGE_LAST),
	{ .name = "stack_pointer",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(threads_thread, stack_pointer),
		FIELD_STATE_AT(threads_thread, stack_pointer_state),
		.unit = SOOTH_UNIT_HEX,
		.is_hidden = true,
		.help = "stack pointer while it waits" },
	FIELD_NUMBER_AS(threads_thread, syscall, call_number, "number of the system call it is in",
		FIELD_STATE_AT(threads_thread, syscall_state)),
	{ .name = "call_abi",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(threads_thread, abi),
		FIELD_STATE_AT(threads_thread, syscall_state),
		.names = &abis,
		.is_hidden = true,
		.help = "what numbers that call" },
	FIELD_STRING(threads_thread, wait_channel, "function of the kernel it waits in",
		FIELD_STATE_AT(threads_thread, wait_channel_state)),
	{ .name = "policy",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(threads_thread, policy),
		.names = &threads_policy_names,
		.help = "how it is scheduled; sched(7)" },
	FIELD_NUMBER(threads_thread, realtime_priority, "1 to 99; 0: none"),
	{ .name = "nice",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(threads_thread, nice),
		.help = "-20 to 19; lower gets more of a processor" },
	FIELD_NUMBER_AS(threads_thread, processor, last_cpu, "it last ran on"),
	ARGUMENT("argument_1", 0),
	ARGUMENT("argument_2", 1),
	ARGUMENT("argument_3", 2),
	ARGUMENT("argument_4", 3),
	ARGUMENT("argument_5", 4),
	ARGUMENT("argument_6", 5),
	FIELD_NUMBER(threads_thread, system_ns, "of the CPU time so far, in the kernel",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(threads_thread, times_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, faults, "page faults",
		FIELD_STATE_AT(threads_thread, times_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, read_bytes, "bytes read by read calls",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(threads_thread, io_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, written_bytes, "bytes written by write calls",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(threads_thread, io_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, reads, "read calls", FIELD_STATE_AT(threads_thread, io_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, writes, "write calls",
		FIELD_STATE_AT(threads_thread, io_state), .merge = SOOTH_MERGE_LAST),
};

static const struct sooth_schema thread_schema = {
	.name = "threads.thread",
	.kind = THREADS_THREAD,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct threads_thread),
	SCHEMA_FIELDS(thread_fields),
};

static const struct sooth_field process_fields[] = {
	FIELD_PID(threads_process),
	FIELD_NUMBER(threads_process, threads, "threads in the list",
		FIELD_STATE_AT(threads_process, threads_state)),
};

static const struct sooth_schema process_schema = {
	.name = "threads.process",
	.kind = THREADS_PROCESS,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct threads_process),
	SCHEMA_FIELDS(process_fields),
};

static const struct sooth_schema *const schemas[] = { &thread_schema, &process_schema, NULL };

const struct probe probe_threads = {
	.name = "threads",
	.help = "threads: state, CPU, scheduling, what each waits for",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the threads probe. */
#include "probes/threads.h"

#include "model/probe.h"
#include "model/schema.h"

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

static const char *const abi_names[] = { "x86-64", "aarch64", "i386", "x32", "arm", "freebsd",
	"darwin" };
static const struct sooth_names abis = { sizeof(abi_names) / sizeof(abi_names[0]), abi_names };

#define ARGUMENT(name_, i_)                                                                        \
	{                                                                                          \
		.name = name_, .type = SOOTH_FIELD_UNSIGNED,                                       \
		FIELD_AT(threads_thread, arguments[i_]),                                           \
		FIELD_STATE_AT(threads_thread, syscall_state), .unit = SOOTH_UNIT_HEX,             \
		.is_hidden = true,                                                                 \
		.help = "argument of the system call that the thread is executing"                 \
	}

static const struct sooth_field thread_fields[] = {
	FIELD_PID(threads_thread),
	FIELD_TID(threads_thread),
	FIELD_STRING(threads_thread, name, "name of the thread (comm)"),
	FIELD_OF(CHARS, threads_thread, state, state,
		"thread state: R running, S sleeping, D uninterruptible, T stopped, t traced, Z "
		"zombie, I idle"),
	FIELD_NUMBER(threads_thread, thread_start_ticks,
		"start of the thread, in clock ticks after boot; unique together with the tid",
		.is_hidden = true),
	FIELD_WITH(UNSIGNED, threads_thread, cpu_ns, cpu_state,
		"CPU time of the thread since its start", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_LAST),
	FIELD_TRUTH_AS(threads_thread, cpu_is_ticks, is_cpu_in_ticks,
		"CPU time is only as exact as a clock tick (usually 10 ms)", .is_hidden = true),
	FIELD_WITH(UNSIGNED, threads_thread, waited_ns, waited_state,
		"time the thread was runnable and waited for a CPU", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, voluntary_switches, switches_state,
		"times the thread gave up the CPU", .merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, involuntary_switches, switches_state,
		"times the CPU was taken from the thread", .merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, stack_pointer, stack_pointer_state,
		"stack pointer of the waiting thread", .unit = SOOTH_UNIT_HEX, .is_hidden = true),
	FIELD_AS_WITH(UNSIGNED, threads_thread, syscall, call_number, syscall_state,
		"number of the system call that the thread is executing"),
	FIELD_AS_WITH(ENUM, threads_thread, abi, call_abi, syscall_state,
		"ABI that defines the number of the system call", .names = &abis,
		.is_hidden = true),
	FIELD_WITH(TEXT, threads_thread, wait_channel, wait_channel_state,
		"kernel function that the thread waits in"),
	FIELD_OF(ENUM, threads_thread, policy, policy, "scheduling policy of the thread; sched(7)",
		.names = &threads_policy_names),
	FIELD_NUMBER(threads_thread, realtime_priority,
		"realtime priority of the thread, 1 to 99; 0: none"),
	FIELD_OF(SIGNED, threads_thread, nice, nice,
		"nice value of the thread, -20 to 19; lower: more CPU time"),
	FIELD_NUMBER_AS(threads_thread, processor, last_cpu,
		"number of the CPU that the thread last ran on"),
	ARGUMENT("argument_1", 0),
	ARGUMENT("argument_2", 1),
	ARGUMENT("argument_3", 2),
	ARGUMENT("argument_4", 3),
	ARGUMENT("argument_5", 4),
	ARGUMENT("argument_6", 5),
	FIELD_WITH(UNSIGNED, threads_thread, system_ns, times_state,
		"CPU time of the thread in the kernel since its start", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, faults, times_state,
		"page faults of the thread since its start", .merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, read_bytes, io_state,
		"bytes the thread read with read system calls", .unit = SOOTH_UNIT_BYTES,
		.merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, written_bytes, io_state,
		"bytes the thread wrote with write system calls", .unit = SOOTH_UNIT_BYTES,
		.merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, reads, io_state,
		"read system calls of the thread since its start", .merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, writes, io_state,
		"write system calls of the thread since its start", .merge = SOOTH_MERGE_LAST),
	FIELD_WITH(UNSIGNED, threads_thread, major_faults, times_state,
		"page faults of the thread that waited for the disk, since its start",
		.merge = SOOTH_MERGE_LAST),
};

RECORD_SCHEMA(threads_thread, 240, "threads.thread", THREADS_THREAD, SAMPLE, thread_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(threads_process),
	FIELD_WITH(UNSIGNED, threads_process, threads, threads_state, "number of threads listed"),
};

RECORD_SCHEMA(threads_process, 40, "threads.process", THREADS_PROCESS, SAMPLE, process_fields);

static const struct sooth_schema *const schemas[] = { &threads_thread_schema,
	&threads_process_schema, NULL };

const struct probe probe_threads = {
	.name = "threads",
	.help = "threads: state, CPU, scheduling, what each waits for",
	.offers = INTEREST_SAMPLE | INTEREST_DETAIL | INTEREST_BRIEF,
	.schemas = schemas,
};

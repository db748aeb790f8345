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
	FIELD_NUMBER(threads_thread, cpu_ns, "CPU time of the thread since its start",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(threads_thread, cpu_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_TRUTH_AS(threads_thread, cpu_is_ticks, is_cpu_in_ticks,
		"CPU time is only as exact as a clock tick (usually 10 ms)", .is_hidden = true),
	FIELD_NUMBER(threads_thread, waited_ns, "time the thread was runnable and waited for a CPU",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(threads_thread, waited_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, voluntary_switches, "times the thread gave up the CPU",
		FIELD_STATE_AT(threads_thread, switches_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, involuntary_switches,
		"times the CPU was taken from the thread",
		FIELD_STATE_AT(threads_thread, switches_state), .merge = SOOTH_MERGE_LAST),
	FIELD_OF(UNSIGNED, threads_thread, stack_pointer, stack_pointer,
		"stack pointer of the waiting thread",
		FIELD_STATE_AT(threads_thread, stack_pointer_state), .unit = SOOTH_UNIT_HEX,
		.is_hidden = true),
	FIELD_NUMBER_AS(threads_thread, syscall, call_number,
		"number of the system call that the thread is executing",
		FIELD_STATE_AT(threads_thread, syscall_state)),
	FIELD_OF(ENUM, threads_thread, abi, call_abi,
		"ABI that defines the number of the system call",
		FIELD_STATE_AT(threads_thread, syscall_state), .names = &abis, .is_hidden = true),
	FIELD_STRING(threads_thread, wait_channel, "kernel function that the thread waits in",
		FIELD_STATE_AT(threads_thread, wait_channel_state)),
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
	FIELD_NUMBER(threads_thread, system_ns,
		"CPU time of the thread in the kernel since its start", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(threads_thread, times_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, faults, "page faults of the thread since its start",
		FIELD_STATE_AT(threads_thread, times_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, read_bytes, "bytes the thread read with read system calls",
		.unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(threads_thread, io_state),
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, written_bytes,
		"bytes the thread wrote with write system calls", .unit = SOOTH_UNIT_BYTES,
		FIELD_STATE_AT(threads_thread, io_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, reads, "read system calls of the thread since its start",
		FIELD_STATE_AT(threads_thread, io_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, writes, "write system calls of the thread since its start",
		FIELD_STATE_AT(threads_thread, io_state), .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(threads_thread, major_faults,
		"page faults of the thread that waited for the disk, since its start",
		FIELD_STATE_AT(threads_thread, times_state), .merge = SOOTH_MERGE_LAST),
};

RECORD_SCHEMA(threads_thread, 240, "threads.thread", THREADS_THREAD, SAMPLE, thread_fields);

static const struct sooth_field process_fields[] = {
	FIELD_PID(threads_process),
	FIELD_NUMBER(threads_process, threads, "number of threads listed",
		FIELD_STATE_AT(threads_process, threads_state)),
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

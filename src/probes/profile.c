/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the profile probe, and of stacks and frames wherever they are defined. */
#include "probes/profile.h"

#include "model/probe.h"
#include "model/schema.h"
#include "probes/heap.h"
#include "probes/stacks.h"

static const char *const end_names[PROFILE_ENDS] = {
	[PROFILE_WHOLE] = "whole",
	[PROFILE_DEPTH] = "too-deep",
	[PROFILE_UNREADABLE] = "stack-unreadable",
	[PROFILE_NO_CODE] = "no-code",
	[PROFILE_NO_ROW] = "no-unwind-information",
	[PROFILE_NO_TABLE] = "table-not-ready",
	[PROFILE_RULE] = "rule-not-supported",
	[PROFILE_STUCK] = "damaged",
	[PROFILE_FOREIGN] = "32-bit",
	[PROFILE_KERNEL_ONLY] = "kernel-only",
	[PROFILE_NO_REGISTER] = "register-unknown",
};
static const struct sooth_names ends = { PROFILE_ENDS, end_names };

static const char *const frame_kind_names[] = { "user", "kernel", "generated", "script" };
const struct sooth_names profile_frame_kind_names = { 4, frame_kind_names };

static const struct sooth_field sample_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(profile_sample, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "time the sample was taken" },
	FIELD_PID(profile_sample),
	FIELD_TID(profile_sample),
	{ .name = "process",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(profile_sample, process),
		.help = "name of the sampled process" },
	{ .name = "thread",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(profile_sample, thread),
		.help = "name of the sampled thread" },
	FIELD_NUMBER_AS(profile_sample, stack, stack_number, "number of the sampled stack"),
	FIELD_NUMBER(profile_sample, period_ns, "CPU time that the sample stands for",
		.unit = SOOTH_UNIT_NS),
};

static const struct sooth_field call_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(profile_call, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "time the system call began" },
	FIELD_PID(profile_call),
	FIELD_TID(profile_call),
	FIELD_NUMBER(profile_call, number, "number of the system call in its ABI"),
	FIELD_NUMBER(profile_call, abi,
		"system-call table of the number: 0 x86-64, 1 aarch64, 2 i386, "
		"3 x32, 4 arm"),
	{ .name = "process",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(profile_call, process),
		.help = "name of the calling process" },
	{ .name = "thread",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(profile_call, thread),
		.help = "name of the calling thread" },
	FIELD_NUMBER_AS(profile_call, stack, stack_number, "number of the stack at the call"),
};

static const struct sooth_field stack_fields[] = {
	FIELD_NUMBER_AS(profile_stack, stack, stack_number, "number of the stack"),
	{ .name = "end",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(profile_stack, end),
		.names = &ends,
		.help = "whole: up to the entry of the thread; else the reason why frames are "
			"missing" },
	{ .name = "frames",
		.type = SOOTH_FIELD_LIST,
		FIELD_AT(profile_stack, frames),
		.help = "numbers of the stack's frames, innermost first" },
};

static const struct sooth_field frame_fields[] = {
	FIELD_NUMBER_AS(profile_frame, frame, frame_number, "number of the stack frame"),
	{ .name = "kind",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(profile_frame, frame_kind),
		.names = &profile_frame_kind_names,
		.help = "user: code of a file; kernel; generated: code made at run time; "
			"script: a function that an interpreter runs" },
	FIELD_WITH(TEXT, profile_frame, function, function_state,
		"function of the stack frame, as its symbol names it"),
	FIELD_WITH(TEXT, profile_frame, file, file_state,
		"path of the file with the code of the frame; of generated code its engine"),
	FIELD_NUMBER(profile_frame, offset,
		"place of the frame in its file; an address where it has none",
		.unit = SOOTH_UNIT_HEX),
	FIELD_WITH(UNSIGNED, profile_frame, begin, begin_state,
		"start of the function, in its file", .unit = SOOTH_UNIT_HEX),
	FIELD_WITH(TEXT, profile_frame, build_id, build_id_state,
		"GNU build id of the file with the code", .is_hidden = true),
	{ .name = "inlined_functions",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(profile_frame, inlined),
		.help = "functions that the compiler put into this one at that place, innermost "
			"first",
		.is_hidden = true,
		FIELD_STATE_AT(profile_frame, lines_state) },
	{ .name = "source_lines",
		.type = SOOTH_FIELD_TEXTS,
		FIELD_AT(profile_frame, lines),
		.help = "source file and line in each of `inlined_functions`, and last in the "
			"function itself",
		.is_hidden = true,
		FIELD_STATE_AT(profile_frame, lines_state) },
};

RECORD_SCHEMA(profile_sample, 72, "profile.sample", PROFILE_SAMPLE, EVENT, sample_fields);
RECORD_SCHEMA(profile_call, 80, "profile.call", PROFILE_CALL, EVENT, call_fields);

static const char *const wait_states[PROFILE_WAIT_STATES] = {
	[PROFILE_PREEMPTED] = "preempted",
	[PROFILE_SLEEPS] = "sleeps",
	[PROFILE_BLOCKS] = "blocks",
};
const struct sooth_names profile_wait_state_names = { PROFILE_WAIT_STATES, wait_states };

#define WAIT_CHARS(member, help_, ...)                                                             \
	{                                                                                          \
		.name = #member, .type = SOOTH_FIELD_CHARS, FIELD_AT(profile_wait, member),        \
		.help = help_, __VA_ARGS__                                                         \
	}

static const struct sooth_field wait_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(profile_wait, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "time the wait ended" },
	FIELD_PID(profile_wait),
	FIELD_TID(profile_wait),
	FIELD_NUMBER(profile_wait, waited_ns, "time in which the thread did not run",
		.unit = SOOTH_UNIT_NS),
	{ .name = "state",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(profile_wait, state),
		.names = &profile_wait_state_names,
		.help = "preempted: it could have run; sleeps: a signal ends that too; blocks: "
			"only "
			"what it waits for does" },
	FIELD_NUMBER_AS(profile_wait, flags, wait_flags,
		"1: the kernel counts it as input or output; 2: not over when the observation "
		"ended; 4: begun before that"),
	FIELD_WITH(UNSIGNED, profile_wait, number, call_state,
		"number of the system call it waited in; absent: in none"),
	FIELD_WITH(UNSIGNED, profile_wait, abi, call_state,
		"system-call table of the number: 0 x86-64, 1 aarch64, 2 i386, 3 x32, 4 arm"),
	FIELD_WITH(UNSIGNED, profile_wait, waker_pid, waker_state, "process that woke it"),
	FIELD_WITH(UNSIGNED, profile_wait, waker_tid, waker_state, "thread that woke it"),
	WAIT_CHARS(waker, "name of the thread that woke it",
		FIELD_STATE_AT(profile_wait, waker_state)),
	WAIT_CHARS(process, "name of the process that waited"),
	WAIT_CHARS(thread, "name of the thread that waited"),
	FIELD_AS_WITH(UNSIGNED, profile_wait, stack, stack_number, stack_state,
		"number of the stack while it waited"),
};

RECORD_SCHEMA(profile_wait, 120, "profile.wait", PROFILE_WAIT, EVENT, wait_fields);

static const char *const release_names[PROFILE_RELEASES] = {
	[PROFILE_UNMAPPED] = "unmapped",
	[PROFILE_ADVISED] = "advised",
	[PROFILE_MOVED] = "moved",
	[PROFILE_BREAK] = "break",
};
const struct sooth_names profile_release_names = { PROFILE_RELEASES, release_names };

static const struct sooth_field page_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(profile_page, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "time of the page fault" },
	FIELD_PID(profile_page),
	FIELD_TID(profile_page),
	FIELD_NUMBER(profile_page, address, "address that was touched", .unit = SOOTH_UNIT_HEX),
	{ .name = "process",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(profile_page, process),
		.help = "name of the process" },
	{ .name = "thread",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(profile_page, thread),
		.help = "name of the thread" },
	FIELD_NUMBER_AS(profile_page, stack, stack_number, "number of the stack at the fault"),
	FIELD_NUMBER(
		profile_page, faults, "number of page faults that it stands for; 0: itself alone"),
};

RECORD_SCHEMA(profile_page, 80, "profile.page", PROFILE_PAGE, EVENT, page_fields);

static const struct sooth_field release_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(profile_release, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "time the system call returned" },
	FIELD_PID(profile_release),
	FIELD_TID(profile_release),
	{ .name = "how",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(profile_release, how),
		.names = &profile_release_names,
		.help = "unmapped, advised (madvise), moved (mremap), break (brk): the system "
			"call" },
	FIELD_NUMBER_AS(profile_release, from, address,
		"start of the pages; break: the new end of the heap", .unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER(profile_release, bytes, "size of the pages", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(profile_release, moved_to, "moved: the new address", .unit = SOOTH_UNIT_HEX),
	FIELD_NUMBER(profile_release, moved_bytes, "moved: the new size", .unit = SOOTH_UNIT_BYTES),
};

RECORD_SCHEMA(profile_release, 72, "profile.release", PROFILE_RELEASE, EVENT, release_fields);
RECORD_SCHEMA(profile_stack, 48, "profile.stack", PROFILE_STACK, DEFINITION, stack_fields);
RECORD_SCHEMA(profile_frame, 104, "profile.frame", PROFILE_FRAME, DEFINITION, frame_fields);

/* Schema of profile.stack for the probe stacks. */
const struct sooth_schema stacks_stack_schema = {
	.name = "stacks.stack",
	.kind = STACKS_STACK,
	.class_ = SOOTH_CLASS_DEFINITION,
	.fixed_size = sizeof(struct profile_stack),
	SCHEMA_FIELDS(stack_fields),
};

const struct sooth_schema stacks_frame_schema = {
	.name = "stacks.frame",
	.kind = STACKS_FRAME,
	.class_ = SOOTH_CLASS_DEFINITION,
	.fixed_size = sizeof(struct profile_frame),
	SCHEMA_FIELDS(frame_fields),
};

/* Schema of profile.stack for the probe heap. */
const struct sooth_schema heap_stack_schema = {
	.name = "heap.stack",
	.kind = HEAP_STACK,
	.class_ = SOOTH_CLASS_DEFINITION,
	.fixed_size = sizeof(struct profile_stack),
	SCHEMA_FIELDS(stack_fields),
};

const struct sooth_schema heap_frame_schema = {
	.name = "heap.frame",
	.kind = HEAP_FRAME,
	.class_ = SOOTH_CLASS_DEFINITION,
	.fixed_size = sizeof(struct profile_frame),
	SCHEMA_FIELDS(frame_fields),
};

static const struct sooth_schema *const schemas[] = { &profile_sample_schema, &profile_call_schema,
	&profile_wait_schema, &profile_page_schema, &profile_release_schema, &profile_stack_schema,
	&profile_frame_schema, NULL };

const struct probe probe_profile = {
	.name = "profile",
	.help = "stacks of threads that use CPU, sampled at a fixed rate",
	.schemas = schemas,
	.offers = INTEREST_STREAM,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the exit_reasons probe. */
#include "probes/exit_reasons.h"

#include "model/probe.h"
#include "model/schema.h"

static const char *const log_names[EXIT_REASONS_LOGS] = {
	[EXIT_REASONS_LOG_OOM] = "out of memory",
	[EXIT_REASONS_LOG_FAULT] = "fault",
};
static const struct sooth_names exit_reasons_log_names = { EXIT_REASONS_LOGS, log_names };

#define FIELD_NAME(type_, name_, member_, help_, ...)                                              \
	{                                                                                          \
		.name = name_, .type = SOOTH_FIELD_CHARS, FIELD_AT(type_, member_), .help = help_, \
		##__VA_ARGS__                                                                      \
	}
#define FIELD_TIME(type_, name_, member_, help_)                                                   \
	{                                                                                          \
		.name = name_, .type = SOOTH_FIELD_UNSIGNED, FIELD_AT(type_, member_),             \
		.unit = SOOTH_UNIT_TIME_NS, .help = help_                                          \
	}
#define FIELD_SIZE(type_, member_, name_, help_, state_)                                           \
	FIELD_NUMBER_AS(type_, member_, name_, help_, .unit = SOOTH_UNIT_BYTES,                    \
		FIELD_STATE_AT(type_, state_))
#define FIELD_INTEGER(type_, member_, name_, help_, ...)                                           \
	{                                                                                          \
		.name = #name_, .type = SOOTH_FIELD_SIGNED, FIELD_AT(type_, member_),              \
		.help = help_, ##__VA_ARGS__                                                       \
	}
#define SENDER FIELD_STATE_AT(exit_reasons_signal, sender_state)

static const struct sooth_field signal_fields[] = {
	FIELD_TIME(exit_reasons_signal, "time_ns", record.time_ns,
		"time the process's exit was recorded"),
	FIELD_PID(exit_reasons_signal),
	FIELD_TID(exit_reasons_signal),
	FIELD_TIME(exit_reasons_signal, "sent_ns", sent_ns, "time the signal was sent"),
	FIELD_NUMBER_AS(exit_reasons_signal, signal, signal_number,
		"number of the signal, for example 9 for SIGKILL"),
	FIELD_INTEGER(exit_reasons_signal, code, code,
		"reason code of the signal (si_code in sigaction(2))"),
	FIELD_WITH(UNSIGNED, exit_reasons_signal, address, address_state,
		"memory address that caused the fault", .unit = SOOTH_UNIT_HEX),
	FIELD_TRUTH(exit_reasons_signal, is_from_kernel, "the signal was sent by the kernel"),
	FIELD_NUMBER(
		exit_reasons_signal, sender_pid, "process id of the sender of the signal", SENDER),
	FIELD_NAME(exit_reasons_signal, "sender_name", sender_name,
		"name of the process that sent the signal", SENDER),
	FIELD_NUMBER(exit_reasons_signal, sender_uid, "user id of the signal's sender", SENDER),
	FIELD_NUMBER_AS(exit_reasons_signal, sender_parent_pid, sender_ppid,
		"process id of the sender's parent", SENDER),
	FIELD_NAME(exit_reasons_signal, "sender_parent_name", sender_parent_name,
		"name of the sender's parent process", SENDER),
	FIELD_TRUTH(exit_reasons_signal, is_from_parent,
		"the signal's sender is the parent of the process", SENDER),
	FIELD_TRUTH(exit_reasons_signal, is_sender_ending,
		"the signal was sent because its sender ended", SENDER),
	FIELD_NUMBER(exit_reasons_signal, sender_start_ticks,
		"start of the signal's sender, in clock ticks after boot", .is_hidden = true,
		SENDER),
};

static const struct sooth_field oom_fields[] = {
	FIELD_TIME(exit_reasons_oom, "time_ns", record.time_ns,
		"time the OOM killer chose the process"),
	FIELD_PID(exit_reasons_oom),
	FIELD_SIZE(exit_reasons_oom, virtual_bytes, vsz_bytes,
		"size of the address space (virtual memory)", figures_state),
	FIELD_SIZE(exit_reasons_oom, anonymous_bytes, rss_anonymous_bytes,
		"resident anonymous memory of the process (heap, stacks)", figures_state),
	FIELD_SIZE(exit_reasons_oom, file_bytes, rss_file_bytes, "resident pages of mapped files",
		figures_state),
	FIELD_SIZE(exit_reasons_oom, shared_bytes, rss_shared_bytes,
		"resident shared memory of the process", figures_state),
	FIELD_SIZE(exit_reasons_oom, table_bytes, page_table_bytes,
		"memory used by page tables of the process", figures_state),
	FIELD_INTEGER(exit_reasons_oom, score_adjustment, oom_score_adjustment,
		"adjustment of the OOM score; -1000: the OOM killer never chooses the process",
		FIELD_STATE_AT(exit_reasons_oom, figures_state)),
	FIELD_NUMBER_AS(exit_reasons_oom, asker_pid, requester_pid,
		"process that triggered the OOM killer"),
	FIELD_NAME(exit_reasons_oom, "requester_name", asker_name,
		"name of the process that triggered the OOM killer"),
};

static const struct sooth_field core_fields[] = {
	FIELD_PID(exit_reasons_core),
	FIELD_NUMBER(exit_reasons_core, core_pid, "process id of the dumped process"),
	FIELD_WITH(TEXT, exit_reasons_core, path, path_state, "path of the core dump file"),
	FIELD_SIZE(exit_reasons_core, size_bytes, size_bytes, "size of the core dump file",
		size_state),
	FIELD_WITH(TEXT, exit_reasons_core, handler, handler_state,
		"program that received the core dump"),
};

static const struct sooth_field end_fields[] = {
	FIELD_TIME(exit_reasons_end, "time_ns", record.time_ns,
		"time the process ended or was first found ended"),
	FIELD_PID(exit_reasons_end),
	FIELD_NAME(exit_reasons_end, "name", name, "name of the process that ended"),
	FIELD_AS_WITH(UNSIGNED, exit_reasons_end, status, wait_status, status_state,
		"exit status of the process as wait(2) encodes it"),
	FIELD_SIZE(exit_reasons_end, peak_rss_bytes, rss_peak_bytes,
		"highest resident memory of the process so far", peak_state),
	FIELD_WITH(BOOL, exit_reasons_end, is_oom_victim, oom_state,
		"the process was killed by the OOM killer"),
	FIELD_WITH(UNSIGNED, exit_reasons_end, cpu_soft_s, limits_state,
		"soft limit of CPU time of the process (SIGXCPU)", .unit = SOOTH_UNIT_S),
	FIELD_WITH(UNSIGNED, exit_reasons_end, cpu_hard_s, limits_state,
		"hard limit of CPU time of the process (SIGKILL)", .unit = SOOTH_UNIT_S),
	FIELD_SIZE(exit_reasons_end, file_size_bytes, file_size_bytes,
		"limit of the size of files the process may write", limits_state),
	FIELD_AS_WITH(UNSIGNED, exit_reasons_end, parent_pid, ppid, parent_state,
		"process id of the parent"),
	FIELD_NAME(exit_reasons_end, "parent_name", parent_name, "name of the parent process",
		FIELD_STATE_AT(exit_reasons_end, parent_state)),
	FIELD_NUMBER(exit_reasons_end, signals_state,
		"whether signals sent to the process could be seen, as a state byte",
		.is_hidden = true),
};

#define CHILD_SENDER FIELD_STATE_AT(exit_reasons_child, sender_state)

static const struct sooth_field child_fields[] = {
	FIELD_TIME(exit_reasons_child, "time_ns", record.time_ns, "time the child ended"),
	FIELD_PID(exit_reasons_child),
	FIELD_NUMBER(exit_reasons_child, child_pid,
		"process id of a descendant that was ended, or asked to end"),
	FIELD_NAME(exit_reasons_child, "name", name, "name of the descendant"),
	FIELD_NUMBER_AS(
		exit_reasons_child, parent_pid, ppid, "process id of the parent of the descendant"),
	FIELD_NUMBER(exit_reasons_child, life_ns,
		"time from the start of the descendant to its end", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER_AS(exit_reasons_child, status, wait_status,
		"exit status of the descendant as wait(2) encodes it"),
	FIELD_NUMBER_AS(exit_reasons_child, signal, signal_number,
		"signal that ended the descendant, or asked it to end; 0: not seen"),
	FIELD_INTEGER(exit_reasons_child, code, code,
		"reason code of the signal (si_code in sigaction(2))"),
	FIELD_TRUTH(exit_reasons_child, is_from_kernel, "the signal was sent by the kernel"),
	FIELD_TRUTH(
		exit_reasons_child, is_oom_victim, "the descendant was killed by the OOM killer"),
	FIELD_NUMBER(exit_reasons_child, sender_pid, "process id of the sender of the signal",
		CHILD_SENDER),
	FIELD_NAME(exit_reasons_child, "sender_name", sender_name,
		"name of the process that sent the signal", CHILD_SENDER),
	FIELD_NUMBER_AS(exit_reasons_child, sender_parent_pid, sender_ppid,
		"process id of the sender's parent", CHILD_SENDER),
	FIELD_TRUTH(exit_reasons_child, is_sender_ending,
		"the signal was sent because its sender ended", CHILD_SENDER),
	FIELD_NUMBER(exit_reasons_child, child_start_ticks,
		"start of the descendant, in clock ticks after boot", .is_hidden = true),
	FIELD_NUMBER(exit_reasons_child, parent_start_ticks,
		"start of the descendant's parent, in clock ticks after boot", .is_hidden = true),
	FIELD_NUMBER(exit_reasons_child, sender_start_ticks,
		"start of the signal's sender, in clock ticks after boot", .is_hidden = true,
		CHILD_SENDER),
};

static const struct sooth_field log_fields[] = {
	FIELD_TIME(exit_reasons_log, "logged_ns", logged_ns, "time of the kernel log message"),
	FIELD_OF(ENUM, exit_reasons_log, what, event, "type of the event",
		.names = &exit_reasons_log_names),
	FIELD_NUMBER(exit_reasons_log, log_pid,
		"process id in the kernel log message; for a fault: the thread id"),
	FIELD_NAME(exit_reasons_log, "name", name, "process name in the kernel log message"),
	FIELD_WITH(UNSIGNED, exit_reasons_log, uid, uid_state,
		"user id of the process in the kernel log message"),
	FIELD_SIZE(exit_reasons_log, virtual_bytes, vsz_bytes,
		"size of the address space (virtual memory)", figures_state),
	FIELD_SIZE(exit_reasons_log, anonymous_bytes, rss_anonymous_bytes,
		"resident anonymous memory of the process (heap, stacks)", figures_state),
	FIELD_SIZE(exit_reasons_log, file_bytes, rss_file_bytes, "resident pages of mapped files",
		figures_state),
	FIELD_SIZE(exit_reasons_log, shared_bytes, rss_shared_bytes,
		"resident shared memory of the process", figures_state),
	FIELD_TRUTH_AS(exit_reasons_log, is_of_group, is_of_control_group,
		"a control group ran out of memory, not the host"),
	FIELD_AS_WITH(TEXT, exit_reasons_log, group, control_group, group_state,
		"control group that ran out of memory"),
	FIELD_STRING(exit_reasons_log, trap, "name of the processor fault"),
	FIELD_WITH(UNSIGNED, exit_reasons_log, address, address_state,
		"memory address that caused the fault", .unit = SOOTH_UNIT_HEX),
	FIELD_WITH(UNSIGNED, exit_reasons_log, instruction, instruction_state,
		"instruction pointer at the fault", .unit = SOOTH_UNIT_HEX),
	FIELD_WITH(TEXT, exit_reasons_log, object, object_state,
		"file mapped at the instruction pointer"),
};

static const struct sooth_field host_fields[] = {
	FIELD_WITH(TEXT, exit_reasons_host, core_pattern, core_state,
		"pattern for core dumps; core(5)"),
	FIELD_NUMBER(exit_reasons_host, log_state,
		"whether the kernel log could be read, as a state byte", .is_hidden = true),
};

RECORD_SCHEMA(exit_reasons_signal, 120, "ends.signal", EXIT_REASONS_SIGNAL, EVENT, signal_fields);
RECORD_SCHEMA(exit_reasons_oom, 104, "ends.oom", EXIT_REASONS_OOM, EVENT, oom_fields);
RECORD_SCHEMA(exit_reasons_core, 64, "ends.core", EXIT_REASONS_CORE, SAMPLE, core_fields,
	.time_span = SOOTH_TIME_SPAN_RUN);
RECORD_SCHEMA(exit_reasons_end, 112, "ends.end", EXIT_REASONS_END, EVENT, end_fields);
RECORD_SCHEMA(exit_reasons_child, 128, "ends.child", EXIT_REASONS_CHILD, EVENT, child_fields);
RECORD_SCHEMA(exit_reasons_log, 152, "ends.log", EXIT_REASONS_LOG, SAMPLE, log_fields,
	.time_span = SOOTH_TIME_SPAN_RUN);
RECORD_SCHEMA(exit_reasons_host, 48, "ends.host", EXIT_REASONS_HOST, SAMPLE, host_fields,
	.time_span = SOOTH_TIME_SPAN_RUN);

static const struct sooth_schema *const schemas[] = { &exit_reasons_signal_schema,
	&exit_reasons_oom_schema, &exit_reasons_core_schema, &exit_reasons_end_schema,
	&exit_reasons_log_schema, &exit_reasons_host_schema, &exit_reasons_child_schema, NULL };

const struct probe probe_exit_reasons = {
	.name = "exit_reasons",
	.old_name = "ends",
	.help = "how processes end: status, signal and sender, out of memory, core file",
	.offers = INTEREST_SAMPLE | INTEREST_STREAM,
	.schemas = schemas,
};

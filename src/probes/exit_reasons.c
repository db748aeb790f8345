/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the ends probe. */
#include "probes/exit_reasons.h"

#include "core/probe.h"
#include "model/schema.h"

_Static_assert(
	sizeof(struct exit_reasons_signal) == 120, "its layout is part of the capture format");
_Static_assert(sizeof(struct exit_reasons_oom) == 104, "its layout is part of the capture format");
_Static_assert(sizeof(struct exit_reasons_core) == 64, "its layout is part of the capture format");
_Static_assert(sizeof(struct exit_reasons_end) == 112, "its layout is part of the capture format");
_Static_assert(sizeof(struct exit_reasons_log) == 152, "its layout is part of the capture format");
_Static_assert(sizeof(struct exit_reasons_host) == 48, "its layout is part of the capture format");

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
#define FIELD_SIZE(type_, member_, help_, state_)                                                  \
	FIELD_NUMBER(type_, member_, help_, .unit = SOOTH_UNIT_BYTES, FIELD_STATE_AT(type_, state_))
#define FIELD_INTEGER(type_, member_, help_, ...)                                                  \
	{                                                                                          \
		.name = #member_, .type = SOOTH_FIELD_SIGNED, FIELD_AT(type_, member_),            \
		.help = help_, ##__VA_ARGS__                                                       \
	}
#define SENDER FIELD_STATE_AT(exit_reasons_signal, sender_state)

static const struct sooth_field signal_fields[] = {
	FIELD_TIME(exit_reasons_signal, "time_ns", record.time_ns, "when the end was told"),
	FIELD_PID(exit_reasons_signal),
	FIELD_TID(exit_reasons_signal),
	FIELD_TIME(exit_reasons_signal, "sent_ns", sent_ns, "when it was sent"),
	FIELD_NUMBER(exit_reasons_signal, signal, "number of the signal"),
	FIELD_INTEGER(exit_reasons_signal, code, "si_code of sigaction(2)"),
	FIELD_NUMBER(exit_reasons_signal, address, "that could not be used", .unit = SOOTH_UNIT_HEX,
		FIELD_STATE_AT(exit_reasons_signal, address_state)),
	FIELD_TRUTH(exit_reasons_signal, is_from_kernel, "nobody sent it: the kernel itself did"),
	FIELD_NUMBER(exit_reasons_signal, sender_pid, "process that sent it", SENDER),
	FIELD_NAME(exit_reasons_signal, "sender_name", sender_name, "of that process", SENDER),
	FIELD_NUMBER(exit_reasons_signal, sender_uid, "user of that process", SENDER),
	FIELD_NUMBER(exit_reasons_signal, sender_parent_pid, "who started the sender", SENDER),
	FIELD_NAME(exit_reasons_signal, "sender_parent_name", sender_parent_name, "of that one",
		SENDER),
	FIELD_TRUTH(exit_reasons_signal, is_from_parent, "the sender started the process", SENDER),
	FIELD_TRUTH(
		exit_reasons_signal, is_sender_ending, "it came of the sender's own end", SENDER),
	FIELD_NUMBER(exit_reasons_signal, sender_start_ticks, "when the sender started",
		.is_hidden = true, SENDER),
};

static const struct sooth_field oom_fields[] = {
	FIELD_TIME(exit_reasons_oom, "time_ns", record.time_ns, "when it was chosen"),
	FIELD_PID(exit_reasons_oom),
	FIELD_SIZE(exit_reasons_oom, virtual_bytes, "address space", figures_state),
	FIELD_SIZE(exit_reasons_oom, anonymous_bytes, "resident, of no file", figures_state),
	FIELD_SIZE(exit_reasons_oom, file_bytes, "resident, of files", figures_state),
	FIELD_SIZE(exit_reasons_oom, shared_bytes, "resident, shared", figures_state),
	FIELD_SIZE(exit_reasons_oom, table_bytes, "page tables", figures_state),
	FIELD_INTEGER(exit_reasons_oom, score_adjustment, "set by somebody; higher is killed first",
		FIELD_STATE_AT(exit_reasons_oom, figures_state)),
	FIELD_NUMBER(exit_reasons_oom, asker_pid, "who wanted memory when there was none"),
	FIELD_NAME(exit_reasons_oom, "asker_name", asker_name, "of that process"),
};

static const struct sooth_field core_fields[] = {
	FIELD_PID(exit_reasons_core),
	FIELD_NUMBER(exit_reasons_core, core_pid, "whose core it is"),
	FIELD_STRING(
		exit_reasons_core, path, "the file", FIELD_STATE_AT(exit_reasons_core, path_state)),
	FIELD_SIZE(exit_reasons_core, size_bytes, "of the file", size_state),
	FIELD_STRING(exit_reasons_core, handler, "program that it was handed to",
		FIELD_STATE_AT(exit_reasons_core, handler_state)),
};

static const struct sooth_field end_fields[] = {
	FIELD_TIME(
		exit_reasons_end, "time_ns", record.time_ns, "when it ended, or was found ended"),
	FIELD_PID(exit_reasons_end),
	FIELD_NAME(exit_reasons_end, "name", name, "of the process"),
	FIELD_NUMBER(exit_reasons_end, status, "as wait(2) gives it",
		FIELD_STATE_AT(exit_reasons_end, status_state)),
	FIELD_SIZE(exit_reasons_end, peak_rss_bytes, "most that was resident", peak_state),
	FIELD_TRUTH(exit_reasons_end, is_oom_victim, "the kernel chose it when memory was out",
		FIELD_STATE_AT(exit_reasons_end, oom_state)),
	FIELD_NUMBER(exit_reasons_end, cpu_soft_s, "limit of CPU time, from where on SIGXCPU comes",
		FIELD_STATE_AT(exit_reasons_end, limits_state)),
	FIELD_NUMBER(exit_reasons_end, cpu_hard_s, "limit of CPU time, where SIGKILL comes",
		FIELD_STATE_AT(exit_reasons_end, limits_state)),
	FIELD_SIZE(exit_reasons_end, file_size_bytes, "limit of the size of files", limits_state),
	FIELD_NUMBER(exit_reasons_end, parent_pid, "who started it, or has inherited it",
		FIELD_STATE_AT(exit_reasons_end, parent_state)),
	FIELD_NAME(exit_reasons_end, "parent_name", parent_name, "of that one",
		FIELD_STATE_AT(exit_reasons_end, parent_state)),
	FIELD_NUMBER(exit_reasons_end, signals_state,
		"whether what it was sent was seen, as a state "
		"byte",
		.is_hidden = true),
};

static const struct sooth_field log_fields[] = {
	FIELD_TIME(exit_reasons_log, "logged_ns", logged_ns, "when it was logged"),
	{ .name = "what",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(exit_reasons_log, what),
		.names = &exit_reasons_log_names,
		.help = "what happened" },
	FIELD_NUMBER(exit_reasons_log, log_pid, "of whom; of a fault it is the thread"),
	FIELD_NAME(exit_reasons_log, "name", name, "of that"),
	FIELD_NUMBER(
		exit_reasons_log, uid, "its user", FIELD_STATE_AT(exit_reasons_log, uid_state)),
	FIELD_SIZE(exit_reasons_log, virtual_bytes, "address space", figures_state),
	FIELD_SIZE(exit_reasons_log, anonymous_bytes, "resident, of no file", figures_state),
	FIELD_SIZE(exit_reasons_log, file_bytes, "resident, of files", figures_state),
	FIELD_SIZE(exit_reasons_log, shared_bytes, "resident, shared", figures_state),
	FIELD_TRUTH(
		exit_reasons_log, is_of_group, "memory of a control group was out, not the host's"),
	FIELD_STRING(exit_reasons_log, group, "that group",
		FIELD_STATE_AT(exit_reasons_log, group_state)),
	FIELD_STRING(exit_reasons_log, trap, "the fault, in the kernel's word"),
	FIELD_NUMBER(exit_reasons_log, address, "that could not be used", .unit = SOOTH_UNIT_HEX,
		FIELD_STATE_AT(exit_reasons_log, address_state)),
	FIELD_NUMBER(exit_reasons_log, instruction, "where it stood", .unit = SOOTH_UNIT_HEX,
		FIELD_STATE_AT(exit_reasons_log, instruction_state)),
	FIELD_STRING(exit_reasons_log, object, "file mapped there",
		FIELD_STATE_AT(exit_reasons_log, object_state)),
};

static const struct sooth_field host_fields[] = {
	FIELD_STRING(exit_reasons_host, core_pattern, "where cores go; core(5)",
		FIELD_STATE_AT(exit_reasons_host, core_state)),
	FIELD_NUMBER(exit_reasons_host, log_state,
		"whether the kernel's log could be read, as a "
		"state byte",
		.is_hidden = true),
};

#define EXIT_REASONS_SCHEMA(id, name_, kind_, of, table, ...)                                      \
	static const struct sooth_schema id##_schema = { .name = name_,                            \
		.kind = kind_,                                                                     \
		.class_ = of,                                                                      \
		.fixed_size = sizeof(struct id),                                                   \
		SCHEMA_FIELDS(table),                                                              \
		__VA_ARGS__ }

EXIT_REASONS_SCHEMA(
	exit_reasons_signal, "ends.signal", EXIT_REASONS_SIGNAL, SOOTH_CLASS_EVENT, signal_fields);
EXIT_REASONS_SCHEMA(exit_reasons_oom, "ends.oom", EXIT_REASONS_OOM, SOOTH_CLASS_EVENT, oom_fields);
EXIT_REASONS_SCHEMA(exit_reasons_core, "ends.core", EXIT_REASONS_CORE, SOOTH_CLASS_SAMPLE,
	core_fields, .time_span = SOOTH_TIME_SPAN_RUN);
EXIT_REASONS_SCHEMA(exit_reasons_end, "ends.end", EXIT_REASONS_END, SOOTH_CLASS_EVENT, end_fields);
EXIT_REASONS_SCHEMA(exit_reasons_log, "ends.log", EXIT_REASONS_LOG, SOOTH_CLASS_SAMPLE, log_fields,
	.time_span = SOOTH_TIME_SPAN_RUN);
EXIT_REASONS_SCHEMA(exit_reasons_host, "ends.host", EXIT_REASONS_HOST, SOOTH_CLASS_SAMPLE,
	host_fields, .time_span = SOOTH_TIME_SPAN_RUN);

static const struct sooth_schema *const schemas[] = { &exit_reasons_signal_schema,
	&exit_reasons_oom_schema, &exit_reasons_core_schema, &exit_reasons_end_schema,
	&exit_reasons_log_schema, &exit_reasons_host_schema, NULL };

const struct probe probe_exit_reasons = {
	.name = "exit_reasons",
	.old_name = "ends",
	.help = "how processes end: status, signal and sender, out of memory, core file",
	.offers = INTEREST_SAMPLE | INTEREST_STREAM,
	.schemas = schemas,
};

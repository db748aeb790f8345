/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the kinds that every stream has. */
#include "model/schema.h"

#include <assert.h>

#include "model/answer_records.h"
#include "model/phase_records.h"

static const struct sooth_field stream_segment_fields[] = {
	FIELD_OF(SIGNED, stream_segment, realtime_offset_ns, realtime_offset_ns,
		"CLOCK_REALTIME minus CLOCK_MONOTONIC at the start of the segment",
		.unit = SOOTH_UNIT_NS),
	FIELD_OF(SIGNED, stream_segment, boottime_offset_ns, boottime_offset_ns,
		"CLOCK_BOOTTIME minus CLOCK_MONOTONIC: time suspended", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(
		stream_segment, memory_bytes, "total memory of the host", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(stream_segment, cpus, "number of online CPUs of the host"),
	FIELD_NUMBER(stream_segment, page_bytes, "size of a memory page", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(
		stream_segment, ticks_per_s, "clock ticks per second, the unit of start times"),
	FIELD_NUMBER(stream_segment, format, "version of the capture format"),
	FIELD_STRING(stream_segment, sooth_version, "version of sooth that made the recording"),
	FIELD_STRING(stream_segment, hostname, "name of the host", .placeholder = "host"),
	FIELD_STRING(stream_segment, os, "operating system of the host"),
	FIELD_STRING(stream_segment, os_version, "kernel release of the host"),
	FIELD_STRING(stream_segment, architecture, "machine type of the host, for example x86_64"),
	FIELD_STRING(stream_segment, boot_id, "id of the boot of the host"),
};

static const struct sooth_field stream_schema_fields[] = {
	FIELD_NUMBER_AS(stream_schema, kind, kind_number, "number of the record kind",
		.unit = SOOTH_UNIT_HEX),
	FIELD_OF(UNSIGNED, stream_schema, class_, kind_class,
		"class of the record kind: event, aggregate, sample, tick, definition"),
	FIELD_STRING(stream_schema, name, "name of the record kind"),
	FIELD_STRING(stream_schema, fields,
		"fields of the record, one per line: name type unit offset size state"),
};

static const struct sooth_field stream_source_fields[] = {
	FIELD_NUMBER_AS(stream_source, source, source_number,
		"number of the record source in blocks of the capture"),
	FIELD_AS_WITH(UNSIGNED, stream_source, others_ns, others_overhead_ns, others_state,
		"time that a call of any other process takes longer meanwhile; absent: nothing is "
		"attached that they meet",
		.unit = SOOTH_UNIT_NS),
	FIELD_STRING(stream_source, probe, "probe that the records come from"),
	FIELD_OF(TEXT, stream_source, backend, method, "backend that delivers the probe's records"),
	FIELD_STRING(stream_source, fallback_reason, "reason why a better backend was not used"),
};

static const struct sooth_field stream_target_fields[] = {
	FIELD_OF(LIST, stream_target, pids, pids, "process ids of the selected processes"),
	FIELD_OF(ARGS, stream_target, command, command,
		"command line of the process, secrets masked", .masking = SOOTH_MASK_ARGUMENTS_CUT),
	FIELD_STRING(stream_target, selector, "how the target was selected"),
};

static const struct sooth_field stream_agent_fields[] = {
	FIELD_STRING(stream_agent, file, "user's file that describes the agent"),
	FIELD_STRING(stream_agent, text, "text of the user's agent file, without comments"),
};

static const char *const end_names[] = {
	[STREAM_END_DURATION] = "duration",
	[STREAM_END_TARGET] = "target ended",
	[STREAM_END_STOPPED] = "stopped",
};
static const struct sooth_names end_reasons = { 4, end_names };

static const struct sooth_field stream_end_fields[] = {
	FIELD_OF(ENUM, stream_end, reason, end_reason, "reason why the recording ended",
		.names = &end_reasons),
	FIELD_OF(SIGNED, stream_end, child_status, child_status,
		"wait status of the launched command; -1: no command launched"),
};

static const struct sooth_field stream_tick_fields[] = {
	FIELD_OF(SIGNED, stream_tick, realtime_offset_ns, realtime_offset_ns,
		"CLOCK_REALTIME minus CLOCK_MONOTONIC now", .unit = SOOTH_UNIT_NS),
};

static const struct sooth_field stream_loss_fields[] = {
	FIELD_STRING(stream_loss, source, "probe or part of sooth that lost records"),
	FIELD_NUMBER(stream_loss, records, "number of lost records", .merge = SOOTH_MERGE_SUM),
	FIELD_NUMBER(stream_loss, bytes, "lost bytes, if the lost records could not be counted",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM),
	FIELD_STRING(stream_loss, reason, "reason why records were lost"),
};

static const struct sooth_field stream_limit_fields[] = {
	FIELD_STRING(stream_limit, what, "name of the data that could not be measured"),
	FIELD_STRING(stream_limit, reason, "reason why the data could not be measured"),
	FIELD_STRING(stream_limit, remedy, "what to do so that the data can be measured"),
};

static const struct sooth_field stream_self_fields[] = {
	FIELD_NUMBER(stream_self, cpu_ns, "CPU time of sooth itself", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(stream_self, rss_bytes, "resident memory of sooth itself",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(stream_self, records, "number of records collected by sooth"),
	FIELD_NUMBER(stream_self, bytes, "bytes of records collected by sooth",
		.unit = SOOTH_UNIT_BYTES),
};

static const char *const mark_names[] = {
	[STREAM_MARK_PHASE] = "phase",
	[STREAM_MARK_PAUSE] = "pause",
	[STREAM_MARK_RESUME] = "resume",
	[STREAM_MARK_SNAPSHOT] = "snapshot",
};
static const struct sooth_names mark_kinds = { 5, mark_names };

static const struct sooth_field stream_mark_fields[] = {
	FIELD_OF(ENUM, stream_mark, what, mark,
		"phase: a phase of the target begins; pause, resume: of the recording; snapshot: "
		"of what was recorded until then",
		.names = &mark_kinds),
	FIELD_STRING(stream_mark, name, "name of the phase"),
};

#define NAME_FIELD(type_)                                                                          \
	{                                                                                          \
		.name = "name", .type = SOOTH_FIELD_CHARS, FIELD_AT(type_, name),                  \
		.help = "name of the thread"                                                       \
	}

static const struct sooth_field process_join_fields[] = {
	FIELD_PID(process_join),
	FIELD_NUMBER_AS(
		process_join, parent_pid, ppid, "process id of the parent that forked the process"),
	FIELD_NUMBER(
		process_join, parent_start_ticks, "start of the parent, in clock ticks after boot"),
	NAME_FIELD(process_join),
};

static const struct sooth_field process_exec_fields[] = {
	FIELD_PID(process_exec),
	NAME_FIELD(process_exec),
	FIELD_AS_WITH(ARGS, process_exec, arguments, command, arguments_state,
		"new command line of the process after exec, secrets masked",
		.masking = SOOTH_MASK_ARGUMENTS),
};

static const struct sooth_field process_leave_fields[] = {
	FIELD_PID(process_leave),
	FIELD_AS_WITH(UNSIGNED, process_leave, status, wait_status, status_state,
		"exit status of the process as wait(2) encodes it"),
	NAME_FIELD(process_leave),
};

static const struct sooth_field phase_span_fields[] = {
	FIELD_PID(phase_span),
	FIELD_NUMBER_AS(phase_span, begin_ns, start_ns, "start of the span (CLOCK_MONOTONIC)",
		.unit = SOOTH_UNIT_TIME_NS),
	FIELD_NUMBER(phase_span, end_utc_ns, "end of the span, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_STRING(phase_span, state, "what the session was doing", .placeholder = ""),
	FIELD_STRING(phase_span, source, "what the state rests on", .placeholder = ""),
	FIELD_STRING(phase_span, confidence, "confidence in the state", .placeholder = ""),
	FIELD_STRING(phase_span, agent, "id of the agent", .placeholder = ""),
	FIELD_STRING(phase_span, session, "id of the session", .placeholder = ""),
	FIELD_STRING(phase_span, project, "project of the session", .placeholder = "project"),
	FIELD_STRING(phase_span, name, "name of the tool, MCP server, or question"),
	FIELD_STRING_AS(
		phase_span, command, tool_command, "command that the tool ran, secrets masked"),
	FIELD_WITH(UNSIGNED, phase_span, tool_pid, tool_state, "process id of that command"),
	FIELD_WITH(UNSIGNED, phase_span, cpu_ns, cpu_state,
		"CPU time of all processes of the session", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(phase_span, own_cpu_ns, "CPU time of the main process", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(phase_span, rss_bytes,
		"highest resident memory of all processes of the session together",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, phase_span, written_bytes, written_state,
		"bytes written by the session", .unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, phase_span, read_bytes, io_state, "bytes read by the session",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, phase_span, io_calls, io_state, "calls that read or wrote"),
	FIELD_WITH(UNSIGNED, phase_span, turns, tokens_state,
		"answers of the model, as the agent itself writes them"),
	FIELD_WITH(UNSIGNED, phase_span, input_tokens, tokens_state,
		"tokens sent to the model, the same way"),
	FIELD_WITH(UNSIGNED, phase_span, output_tokens, tokens_state,
		"tokens that the model answered, the same way"),
	FIELD_WITH(UNSIGNED, phase_span, context_tokens, context_state,
		"tokens of context in use at the end"),
	FIELD_STRING(phase_span, model, "model, the same way", .placeholder = ""),
	FIELD_NUMBER(phase_span, samples, "number of samples that the span rests on"),
	FIELD_NUMBER_AS(phase_span, flags, phase_flags,
		"1: the phase begins with it; 2: the process ended with it"),
	FIELD_WITH(TEXT, phase_span, end, end_state, "how the process ended"),
	FIELD_STRING(
		phase_span, version, "version of the agent; empty: unknown", .placeholder = ""),
	FIELD_STRING(phase_span, trace_parent,
		"context of the agent's own trace (W3C): given to its tool, else to itself; empty: "
		"none",
		.placeholder = ""),
};

static const struct sooth_field answer_span_fields[] = {
	FIELD_PID(answer_span),
	FIELD_NUMBER_AS(answer_span, begin_ns, start_ns, "start of the span (CLOCK_MONOTONIC)",
		.unit = SOOTH_UNIT_TIME_NS),
	FIELD_NUMBER_AS(answer_span, begin_utc_ns, start_utc_ns, "start of the span, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_NUMBER(answer_span, end_utc_ns, "end of the span, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_NUMBER(answer_span, subject_pid, "process with the problem; 0: the host"),
	FIELD_NUMBER(answer_span, subject_start_ticks, "start of that process"),
	FIELD_TRUTH(answer_span, is_cleared, "the problem was over at the end of the span"),
	FIELD_STRING(answer_span, id, "id of the finding", .placeholder = ""),
	FIELD_STRING_AS(answer_span, words, text, "the problem, as the first line of a diagnosis"),
	FIELD_STRING(answer_span, severity, "severity of the finding", .placeholder = ""),
	FIELD_STRING(answer_span, confidence, "confidence in the finding", .placeholder = ""),
	FIELD_STRING(answer_span, remedy, "what to do about it"),
	FIELD_STRING(answer_span, agent, "id of the agent", .placeholder = ""),
	FIELD_STRING(answer_span, session, "id of the session", .placeholder = ""),
	FIELD_STRING(answer_span, project, "project of the session", .placeholder = "project"),
	FIELD_STRING(answer_span, key, "the same for all spans of one problem", .placeholder = ""),
	FIELD_STRING(answer_span, subject_name,
		"name of the MCP server, or of the process, with the problem; empty: the host"),
};

#define STREAM_SCHEMA_ROW(id, name_, kind_, class__, line_, ...)                                   \
	static const struct sooth_schema id##_schema = { .name = name_,                            \
		.kind = kind_,                                                                     \
		.class_ = class__,                                                                 \
		.fixed_size = sizeof(struct id),                                                   \
		.line = line_,                                                                     \
		SCHEMA_FIELDS(id##_fields),                                                        \
		__VA_ARGS__ }

STREAM_SCHEMA_ROW(stream_segment, "stream.segment", STREAM_SEGMENT, SOOTH_CLASS_DEFINITION, NULL);
STREAM_SCHEMA_ROW(stream_schema, "stream.schema", STREAM_SCHEMA, SOOTH_CLASS_DEFINITION, NULL);
STREAM_SCHEMA_ROW(stream_source, "stream.source", STREAM_SOURCE, SOOTH_CLASS_DEFINITION,
	"{probe} by {method}[; a call of any other process takes {others_overhead_ns} longer "
	"meanwhile][ (fallback: {fallback_reason})]");
STREAM_SCHEMA_ROW(stream_target, "stream.target", STREAM_TARGET, SOOTH_CLASS_DEFINITION,
	"target: {selector}[ {pids}][ ({command})]");
STREAM_SCHEMA_ROW(stream_agent, "stream.agent", STREAM_AGENT, SOOTH_CLASS_DEFINITION, NULL);
STREAM_SCHEMA_ROW(stream_end, "stream.end", STREAM_END, SOOTH_CLASS_EVENT, NULL,
	.time_span = SOOTH_TIME_SPAN_RUN);
STREAM_SCHEMA_ROW(stream_tick, "stream.tick", STREAM_TICK, SOOTH_CLASS_TICK, NULL);
STREAM_SCHEMA_ROW(stream_loss, "stream.loss", STREAM_LOSS, SOOTH_CLASS_AGGREGATE,
	"LOST by {source}: {records} records, {bytes}: {reason}",
	.time_span = SOOTH_TIME_SPAN_REACH);
STREAM_SCHEMA_ROW(stream_limit, "stream.limit", STREAM_LIMIT, SOOTH_CLASS_EVENT,
	"not measured: {what}: {reason}[; {remedy}]", .time_span = SOOTH_TIME_SPAN_RUN);
STREAM_SCHEMA_ROW(stream_self, "stream.self", STREAM_SELF, SOOTH_CLASS_SAMPLE,
	"sooth used {cpu_ns} of CPU and {rss_bytes} of memory for {records} records ({bytes})",
	.time_span = SOOTH_TIME_SPAN_RUN);
STREAM_SCHEMA_ROW(stream_mark, "stream.mark", STREAM_MARK, SOOTH_CLASS_EVENT, "{mark}[: {name}]");
STREAM_SCHEMA_ROW(process_join, "process.join", PROCESS_JOIN, SOOTH_CLASS_EVENT, NULL);
STREAM_SCHEMA_ROW(process_exec, "process.exec", PROCESS_EXEC, SOOTH_CLASS_EVENT, NULL);
STREAM_SCHEMA_ROW(process_leave, "process.leave", PROCESS_LEAVE, SOOTH_CLASS_EVENT, NULL);
STREAM_SCHEMA_ROW(phase_span, "phase.span", PHASE_SPAN, SOOTH_CLASS_SAMPLE, NULL,
	.time_span = SOOTH_TIME_SPAN_WINDOW);
STREAM_SCHEMA_ROW(answer_span, "answer.span", ANSWER_SPAN, SOOTH_CLASS_SAMPLE, NULL,
	.time_span = SOOTH_TIME_SPAN_WINDOW);

static const struct sooth_schema stream_begin_schema = {
	.name = "stream.begin",
	.kind = STREAM_BEGIN,
	.class_ = SOOTH_CLASS_DEFINITION,
	.fixed_size = sizeof(struct stream_begin),
};

const struct sooth_schema *const stream_schemas[] = {
	&stream_segment_schema,
	&stream_schema_schema,
	&stream_source_schema,
	&stream_target_schema,
	&stream_begin_schema,
	&stream_agent_schema,
	&stream_end_schema,
	&stream_tick_schema,
	&stream_loss_schema,
	&stream_limit_schema,
	&stream_self_schema,
	&stream_mark_schema,
	&process_join_schema,
	&process_exec_schema,
	&process_leave_schema,
	&phase_span_schema,
	&answer_span_schema,
	NULL,
};

void schema_describe(struct buffer *out, const struct sooth_schema *schema)
{
	assert(schema);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];

		buffer_format(out, "%s %d %d %u %u %u\n", f->name, f->type, f->unit, f->offset,
			f->size, f->state_offset);
	}
}

bool schema_row_key(
	struct buffer *out, const struct sooth_schema *schema, const struct sooth_record *row)
{
	bool has_key = false;

	assert(schema);
	/* Events are not compared; they stream by in millions. */
	for (size_t i = 0; schema->class_ != SOOTH_CLASS_EVENT && i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];
		struct sooth_value v;

		if (!f->is_key)
			continue;
		if (has_key)
			buffer_char(out, ' ');
		v = sooth_field_get(f, row);
		if (f->type == SOOTH_FIELD_TEXT && v.state == SOOTH_STATE_VALUE)
			buffer_append(out, v.text.data, v.text.size); /* escaped by the sink */
		else
			value_format(out, f, &v);
		has_key = true;
	}
	return has_key;
}

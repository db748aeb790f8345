/* SPDX-License-Identifier: BSD-2-Clause */
/* Issues, sampled stacks, descriptors and connections of a process. */
#include "analyze/overview/overview_parts.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/fds/fd_sums.h"
#include "analyze/overview/call_operations.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/profile/profile_patterns.h"
#include "analyze/records.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "explain/finding.h"
#include "explain/registry.h"
#include "model/schema.h"
#include "probes/fd_names.h"

/* Every diagnosis and issue: a finding in four members. */
#define OVERVIEW_ISSUE_ROW(F, S)                                                                   \
	F(S, TEXT, issue, ALWAYS, "id of the finding; `sooth diagnose --list-findings` lists all") \
	F(S, ENUM8, severity, ALWAYS,                                                              \
		"severity of the finding: critical, high, medium, low, info",                      \
		.names = &finding_severity_names)                                                  \
	F(S, TEXT, description, ALWAYS, "description of the finding, with measurements")           \
	F(S, TEXT, remedy, ALWAYS, "what to do about the finding; empty: no known remedy")         \
	F(S, RECORD, U64, pid, pid, MAYBE(pid_state),                                              \
		"process id; absent: the finding is about the host")

ROW_TABLE(overview_issue, OVERVIEW_ISSUE_ROW, "overview.issue", overview_issue_row);

#define OVERVIEW_TYPE_ROW(F, S)                                                                    \
	F(S, TEXT, name, ALWAYS, "type of the file descriptors")                                   \
	F(S, U64, count, ALWAYS, "number of open file descriptors of this type")
#define OVERVIEW_FUNCTION_ROW(F, S)                                                                \
	F(S, NAMED, TEXT, name, function, ALWAYS, "name of the function")                          \
	F(S, NAMED, U64, count, samples, ALWAYS, "samples in which it was on top")

ROW_TABLE(overview_type, OVERVIEW_TYPE_ROW, "overview.type", overview_count_row);

#define OVERVIEW_CONNECTION_ROW(F, S)                                                              \
	F(S, TEXT, conn_type, ALWAYS, "protocol of the connection: tcp, tcp6, udp")                \
	F(S, TEXT, connection, ALWAYS, "local address, peer address and state of the connection")  \
	F(S, TEXT, label, MAYBE(label_state), "known name of the service at the peer address")

ROW_STRUCT(overview_connection_row, OVERVIEW_CONNECTION_ROW);

#define OVERVIEW_DESCRIPTORS_ROW(F, S)                                                             \
	F(S, PID)                                                                                  \
	F(S, U32, total_fds, MAYBE(total_state), "number of open file descriptors of the process") \
	F(S, ROWS, by_type, ALWAYS, "number of file descriptors of each type",                     \
		.rows = &overview_type_schema, .is_keyed = true)                                   \
	F(S, TEXTS, watched_paths, ALWAYS, "paths watched by inotify, at most 1000")               \
	F(S, U32, watches, MAYBE(watches_state),                                                   \
		"number of inotify watches, with or without a known path")                         \
	F(S, ROWS, network_connections, MAYBE(sockets_state),                                      \
		"internet sockets of the process, at most 1000",                                   \
		.rows = &overview_connection_schema)                                               \
	F(S, ROWS, issues, ALWAYS, "findings about file descriptors and connections",              \
		.rows = &overview_issue_schema)                                                    \
	F(S, TEXT, error, MAYBE(error_state), "reason why file descriptors could not be read")

ROW_STRUCT(overview_descriptors_row, OVERVIEW_DESCRIPTORS_ROW);
#define OVERVIEW_CATEGORY_ROW(F, S)                                                                \
	F(S, NAMED, TEXT, name, category, ALWAYS,                                                  \
		"category of the system calls: file, network, memory, ...")                        \
	OVERVIEW_CALL_VALUES(F, S)

#define OVERVIEW_SAMPLE_ROW(F, S)                                                                  \
	F(S, PID)                                                                                  \
	F(S, BOOL, success, ALWAYS, "call stacks were sampled")                                    \
	F(S, U32, thread_count, ALWAYS, "number of threads of the process")                        \
	F(S, ROWS, hot_functions, ALWAYS, "functions by samples, the most first",                  \
		.rows = &overview_function_schema)                                                 \
	F(S, ROWS, diagnosis, ALWAYS, "what the samples show; empty: nothing known",               \
		.rows = &overview_issue_schema)                                                    \
	F(S, TEXT, error, MAYBE(error_state), "reason why call stacks were not sampled")

ROW_STRUCT(overview_sample_row, OVERVIEW_SAMPLE_ROW);

/* --- processes of a profile --- */

/* Sampled call stacks of a process: its hot functions, and what they show. */

#define FUNCTIONS_SHOWN 25
#define UNNAMED_LEAST	0.5 /* share of samples without a function name that is reported */

static void add_functions(const struct process_id *id, const struct buffer *hot, struct buffer *out)
{
	const struct profile_hot *all = (const void *)hot->data;
	size_t count = hot->size / sizeof(*all);

	for (size_t i = 0; i < count && i < FUNCTIONS_SHOWN; i++) {
		struct overview_count_row row = { .record = row_head(id), .count = all[i].samples };
		struct record_tail tail[] = { tail_span(&row.name, all[i].name) };

		RECORD_APPEND(out, &row, tail, 1);
	}
}

static void add_issue(const struct process_id *id, const char *issue,
	enum finding_severity severity, const struct buffer *text, const char *remedy,
	struct buffer *out)
{
	struct overview_issue_row row = { .record = row_head(id), .severity = severity };
	struct record_tail tail[] = { tail_string(&row.issue, issue),
		tail_buffer(&row.description, text), tail_string(&row.remedy, remedy) };

	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

static void add_matches(
	const struct profile_sums *sums, const struct process_id *id, struct buffer *out)
{
	struct profile_match found[PROFILE_PATTERNS_MAX];
	size_t count = profile_patterns_match(sums, id, found);
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	for (size_t i = 0; i < count; i++) {
		buffer_reset(&text);
		buffer_format(&text, "%.0f %% of the CPU time is %s", found[i].share * 100,
			found[i].pattern->text);
		if (found[i].function.size)
			buffer_format(&text, ": most in %.*s", (int)found[i].function.size,
				found[i].function.data);
		add_issue(id, found[i].pattern->id, found[i].pattern->severity, &text,
			found[i].pattern->remedy, out);
	}
}

/* The patterns are names of functions: code without them is not judged. */
static void add_unnamed(
	const struct process_id *id, const struct buffer *hot, uint64_t samples, struct buffer *out)
{
	const struct profile_hot *all = (const void *)hot->data;
	uint64_t unnamed = 0;
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	for (size_t i = 0; i < hot->size / sizeof(*all); i++)
		unnamed += all[i].is_named ? 0 : all[i].samples;
	if (samples < PROFILE_PATTERN_LEAST || (double)unnamed < UNNAMED_LEAST * (double)samples)
		return;
	buffer_format(&text,
		"%.0f %% of the samples are in code without function names: what it does is not "
		"known",
		100 * (double)unnamed / (double)samples);
	add_issue(id, "no-function-names", FINDING_INFO, &text,
		"install the debug symbols of the program", out);
}

void overview_add_sample(const char *refused, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out)
{
	_cleanup_(buffer_fini) struct buffer hot = { 0 }, in_user = { 0 }, functions = { 0 },
					     issues = { 0 };
	struct overview_sample_row row = { .record = row_head(&j->id),
		.success = !refused,
		.error_state = refused ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.thread_count = j->process->process->threads };
	uint64_t samples = 0;

	if (!refused) {
		profile_hot_functions(&input->profile, &j->id, PROFILE_ON_TOP, &hot);
		samples = profile_hot_functions(&input->profile, &j->id, PROFILE_IN_USER, &in_user);
	}
	add_functions(&j->id, &hot, &functions);
	add_matches(&input->profile, &j->id, &issues);
	add_unnamed(&j->id, &in_user, samples, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.hot_functions, &functions),
		tail_buffer(&row.diagnosis, &issues),
		tail_string(&row.error, refused ? refused : ""),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* --- fields --- */

static ROW_SCHEMA(overview_connection, OVERVIEW_CONNECTION_ROW, "overview.connection",
	overview_connection_row);

static ROW_SCHEMA(overview_descriptors, OVERVIEW_DESCRIPTORS_ROW, "overview.descriptors",
	overview_descriptors_row);

static ROW_SCHEMA(overview_call, OVERVIEW_CALL_ROW, "overview.call", overview_call_row);
static ROW_SCHEMA(overview_category, OVERVIEW_CATEGORY_ROW, "overview.category", overview_call_row);
static ROW_SCHEMA(overview_calls, OVERVIEW_CALLS_ROW, "overview.calls", overview_calls_row);
static ROW_SCHEMA(
	overview_function, OVERVIEW_FUNCTION_ROW, "overview.function", overview_count_row);

static ROW_SCHEMA(overview_sample, OVERVIEW_SAMPLE_ROW, "overview.sample", overview_sample_row);
ROW_SCHEMA(overview_process, OVERVIEW_PROCESS_ROW, "overview.process", overview_process_row);
ROW_SCHEMA(overview_head, OVERVIEW_HEAD_ROW, "overview.head", overview_head_row);
static ROW_SCHEMA(overview_memory, OVERVIEW_MEMORY_ROW, "overview.memory", overview_memory_row);
ROW_SCHEMA(overview_system, OVERVIEW_SYSTEM_ROW, "overview.system", overview_system_row);
ROW_SCHEMA(overview_summary, OVERVIEW_SUMMARY_ROW, "overview.summary", overview_summary_row);

/* --- overview parts --- */

#define LIST_MOST  1000 /* paths, connections */
#define PATHS_MOST (64u << 10)

/* --- issues --- */

static bool needs_probe(const struct finding_row *finding, const char *probe)
{
	struct span id = record_text(&finding->record, &finding->id);
	char name[64];
	const struct finding_entry *entry;

	if (id.size >= sizeof(name))
		return false;
	memcpy(name, id.data, id.size);
	name[id.size] = '\0';
	entry = registry_finding(name);
	return entry && strstr(entry->type->probes, probe) != NULL;
}

/* Some findings count descriptors without reading them: their names say so. */
static bool overview_is_of_descriptors(const struct finding_row *finding)
{
	struct span id = record_text(&finding->record, &finding->id);

	return needs_probe(finding, "fds") || needs_probe(finding, "sockets") ||
	       span_starts(id, "fd-") || span_starts(id, "watch-");
}

bool overview_is_of_calls(const struct finding_row *finding)
{
	return needs_probe(finding, "syscalls");
}

/* "opens 4 descriptors a second (descriptors: 120 over 5s; rate: 4.0 a second)" */
static void describe(const struct finding_row *finding, struct buffer *out)
{
	struct span claim = record_text(&finding->record, &finding->claim);
	struct span evidence = record_text(&finding->record, &finding->evidence);
	struct batch rows = { (const void *)evidence.data, evidence.size };
	bool has_any = false;

	buffer_append(out, claim.data, claim.size);
	batch_for_each (r, &rows) {
		const struct finding_evidence_row *row = (const void *)r;
		struct span name = record_text(r, &row->name), text = record_text(r, &row->text);

		buffer_format(out, "%s%.*s: %.*s", has_any ? "; " : " (", (int)name.size, name.data,
			(int)text.size, text.data);
		has_any = true;
	}
	if (has_any)
		buffer_char(out, ')');
}

void overview_add_issues(const struct diagnosed *j, overview_chooser chooser, struct buffer *out)
{
	struct batch all = { j->findings.data, j->findings.size };
	_cleanup_(buffer_fini) struct buffer description = { 0 };

	batch_for_each (r, &all) {
		const struct finding_row *finding = (const void *)r;
		struct overview_issue_row row = { .record = row_head(&j->id),
			.severity = finding->severity,
			.pid_state = j->process ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

		if (chooser && !chooser(finding))
			continue;
		buffer_reset(&description);
		describe(finding, &description);
		struct record_tail tail[] = {
			tail_text(&row.issue, r, &finding->id),
			tail_buffer(&row.description, &description),
			tail_text(&row.remedy, r, &finding->remedy),
		};
		RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	}
}

/* --- descriptors --- */

static void add_count(
	const struct process_id *id, const char *name, uint64_t count, struct buffer *out)
{
	struct overview_count_row row = { .record = row_head(id), .count = count };
	struct record_tail tail[] = { tail_string(&row.name, name) };

	if (count)
		RECORD_APPEND(out, &row, tail, 1);
}

static void add_types(const struct process_id *id, const struct fd_sums *sums, struct buffer *out)
{
	for (size_t i = 0; i < FDS_TYPES; i++)
		add_count(id, fd_type_names.names[i], sums->types[i], out);
	add_count(id, "other", sums->other, out);
}

static void list_paths(const struct snapshot *snapshot, struct buffer *out)
{
	struct batch records = snapshot_records(snapshot);
	size_t count = 0;

	batch_for_each (r, &records) {
		const struct fds_watch *w = record_as(r, FDS_WATCH, sizeof(*w));
		struct span path = w ? record_text(r, &w->path) : span_of("", 0);

		if (!path.size || count == LIST_MOST || out->size + path.size >= PATHS_MOST)
			continue;
		buffer_append(out, path.data, path.size);
		buffer_char(out, '\0');
		count++;
	}
}

/* --- connections --- */

/* "127.0.0.1:5000->160.79.104.10:443 (ESTABLISHED)" */
static void put_connection(const struct sockets_socket *s, struct buffer *out)
{
	const char *state = socket_state_text(s->state, s->state_state);

	socket_put_local(out, s);
	if (s->peer_state == SOOTH_STATE_VALUE) {
		buffer_string(out, "->");
		socket_put_peer(out, s);
	}
	if (*state)
		buffer_format(out, "%s(%s)", out->size ? " " : "", state);
}

static void add_connection(
	const struct diagnosis_input *input, const struct sockets_socket *s, struct buffer *out)
{
	enum peer_label_strength strength;
	struct span label = socket_sums_label(&input->labels, s, &strength);
	struct overview_connection_row row = { .record = row_head_like(&s->record),
		.label_state = label.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	_cleanup_(buffer_fini) struct buffer type = { 0 }, connection = { 0 };

	socket_put_protocol(&type, s);
	put_connection(s, &connection);
	struct record_tail tail[] = {
		tail_buffer(&row.conn_type, &type),
		tail_buffer(&row.connection, &connection),
		tail_span(&row.label, label),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* Returns the state of the list: whether it could be read. */
static uint8_t list_connections(
	const struct diagnosis_input *input, const struct process_id *id, struct buffer *out)
{
	const struct snapshot *snapshot = snapshots_get(&input->sockets.last, id);
	const struct sockets_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	struct batch records = { 0 };
	size_t count = 0;

	if (!end)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	records = snapshot_records(snapshot);
	batch_for_each (r, &records) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		if (s && socket_is_inet(s) && count++ < LIST_MOST)
			add_connection(input, s, out);
	}
	return end->sockets_state;
}

/* --- both --- */

static void fill_values(struct overview_descriptors_row *row, const struct fd_sums *sums)
{
	uint8_t state = sums->process ? sums->process->descriptors_state
				      : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);

	row->total_state = state;
	row->watches_state = state;
	row->error_state = SOOTH_STATE_ABSENT;
	if (state_is_unmeasured(state))
		row->error_state = SOOTH_STATE_VALUE;
	if (!sums->process)
		return;
	row->total_fds = sums->process->descriptors;
	row->watches = sums->process->watches;
}

void overview_add_descriptors(
	const struct diagnosis_input *input, const struct diagnosed *j, struct buffer *out)
{
	const struct snapshot *snapshot = snapshots_get(&input->fds.last, &j->id);
	struct overview_descriptors_row row = { .record = row_head(&j->id) };
	_cleanup_(buffer_fini) struct buffer types = { 0 }, connections = { 0 }, issues = { 0 },
					     paths = { 0 };
	struct fd_sums sums = { 0 };
	const char *error;

	if (snapshot) {
		fd_sums_of(&sums, snapshot);
		add_types(&j->id, &sums, &types);
		list_paths(snapshot, &paths);
	}
	fill_values(&row, &sums);
	row.sockets_state = list_connections(input, &j->id, &connections);
	overview_add_issues(j, overview_is_of_descriptors, &issues);
	error = sooth_reason_text((enum sooth_reason)(row.total_state >> 4));
	struct record_tail tail[] = {
		tail_buffer(&row.by_type, &types),
		tail_buffer(&row.network_connections, &connections),
		tail_buffer(&row.issues, &issues),
		tail_buffer(&row.watched_paths, &paths),
		tail_string(&row.error, row.error_state ? "" : error),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of claude-diagnose: the findings in the members that scripts rely on, with the
 * descriptors, stacks and system calls of each process. */
#include "analyze/overview/overview.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/calls/syscall_sums.h"
#include "analyze/answer/findings_emit.h"
#include "analyze/overview/overview_rows.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/profile/profile_patterns.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/registry.h"
#include "explain/stage.h"
#include "probes/syscall_names.h"

#define MIB		(1024.0 * 1024.0)
#define PRESSURE_BAD	10.0 /* percent of the last ten seconds */
#define NEEDS_MOST	64   /* most findings named in a list */
#define CALLS_MOST	100
#define LIST_MOST	1000 /* most paths or connections in a list */
#define PATHS_MOST	(64u << 10)
#define FUNCTIONS_SHOWN 25
#define UNNAMED_LEAST	0.5 /* share of samples without a function name from which it is reported */

struct overview {
	struct overview_options options;
	struct output *output;
	struct diagnosis diagnosis;
	struct syscall_sums sums;
	struct call_operations operations;
	uint64_t end_ns;	/* end of the run; 0: it has not ended */
	struct buffer method;	/* the backend of system calls; empty: none */
	struct buffer fallback; /* reason why no better backend was used */
};

/* --- issues --- */

/* Selects findings for a list. */
typedef bool (*issue_chooser)(const struct finding_row *finding);

static bool needs_probe(const struct finding_row *finding, const char *probe)
{
	const struct finding_entry *entry =
		registry_finding_of(record_text(&finding->record, &finding->id));

	return entry && strstr(entry->type->probes, probe);
}

/* Returns whether a finding is about descriptors; some need no probe of descriptors. */
static bool is_of_descriptors(const struct finding_row *finding)
{
	struct span id = record_text(&finding->record, &finding->id);

	return needs_probe(finding, "fds") || needs_probe(finding, "sockets") ||
	       span_starts(id, "fd-") || span_starts(id, "watch-");
}

static bool is_finding_of_calls(const struct finding_row *finding)
{
	return needs_probe(finding, "syscalls");
}

static bool is_critical(const struct finding_row *finding)
{
	return finding->severity >= FINDING_HIGH;
}

static bool is_warning(const struct finding_row *finding)
{
	return !is_critical(finding);
}

static void add_issue(struct overview_issue_row row, struct span issue, const struct buffer *text,
	struct span remedy, struct buffer *out)
{
	struct record_tail tail[] = { tail_span(&row.issue, issue),
		tail_buffer(&row.description, text), tail_span(&row.remedy, remedy) };

	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* Writes "opens 4 descriptors a second (descriptors: 120 over 5s; rate: 4.0 a second)". */
static void describe_finding(const struct finding_row *finding, struct buffer *out)
{
	struct span claim = record_text(&finding->record, &finding->claim);
	struct span evidence = record_text(&finding->record, &finding->evidence);
	struct batch rows = { (const void *)evidence.data, evidence.size };
	bool has_any = false;

	buffer_append(out, claim.data, claim.size);
	batch_for_each (r, &rows) {
		const struct finding_evidence_row *row = (const void *)r;
		struct span name = record_text(r, &row->name), text = record_text(r, &row->text);

		buffer_format(out, "%s%.*s: %.*s", has_any ? "; " : " (", SPAN_ARGS(name),
			SPAN_ARGS(text));
		has_any = true;
	}
	if (has_any)
		buffer_char(out, ')');
}

static void add_issues(const struct diagnosed *j, issue_chooser chooser, struct buffer *out)
{
	struct batch all = { j->findings.data, j->findings.size };
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	batch_for_each (r, &all) {
		const struct finding_row *finding = (const void *)r;

		if (chooser && !chooser(finding))
			continue;
		buffer_reset(&text);
		describe_finding(finding, &text);
		add_issue((struct overview_issue_row){ .record = row_head(&j->id),
				  .severity = finding->severity,
				  .pid_state = state_if(j->process != NULL) },
			record_text(r, &finding->id), &text, record_text(r, &finding->remedy), out);
	}
}

/* --- descriptors --- */

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

/* Writes "127.0.0.1:5000->160.79.104.10:443 (ESTABLISHED)". */
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

/* Lists connections. Returns the state of the list. */
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

static void add_descriptors(
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
		bundle_count_types(&sums, &types);
		list_paths(snapshot, &paths);
	}
	row.total_state = SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (sums.process) {
		row.total_state = sums.process->descriptors_state;
		row.total_fds = sums.process->descriptors;
		row.watches = sums.process->watches;
	}
	row.error_state = state_if(state_is_unmeasured(row.total_state));
	row.sockets_state = list_connections(input, &j->id, &connections);
	add_issues(j, is_of_descriptors, &issues);
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

/* --- sampled stacks --- */

static void list_functions(const struct buffer *hot, struct buffer *out)
{
	const struct profile_hot *all = (const void *)hot->data;
	size_t count = hot->size / sizeof(*all);

	for (size_t i = 0; i < count && i < FUNCTIONS_SHOWN; i++)
		bundle_count(all[i].name, all[i].samples, out);
}

static void add_matches(
	const struct profile_sums *sums, const struct process_id *id, struct buffer *out)
{
	struct profile_match found[PROFILE_PATTERNS_MAX];
	size_t count = profile_patterns_match(sums, id, found);
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	for (size_t i = 0; i < count; i++) {
		const struct profile_pattern *pattern = found[i].pattern;
		struct span function = found[i].function;

		buffer_reset(&text);
		buffer_format(&text, "%.0f %% of the CPU time is %s%s%.*s", found[i].share * 100,
			pattern->text, function.size ? ": most in " : "", SPAN_ARGS(function));
		add_issue((struct overview_issue_row){ .record = row_head(id),
				  .severity = pattern->severity },
			span_of_string(pattern->id), &text, span_of_string(pattern->remedy), out);
	}
}

/* Notes code without function names, which patterns cannot recognize. */
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
	add_issue((struct overview_issue_row){ .record = row_head(id), .severity = FINDING_INFO },
		span_of_string("no-function-names"), &text,
		span_of_string("install the debug symbols of the program"), out);
}

static void add_sample(const struct overview *o, const struct diagnosed *j, struct buffer *out)
{
	const struct profile_sums *profile = &o->diagnosis.input.profile;
	const char *refused = o->options.sample_refused;
	_cleanup_(buffer_fini) struct buffer hot = { 0 }, in_user = { 0 }, functions = { 0 },
					     issues = { 0 };
	struct overview_sample_row row = { .record = row_head(&j->id),
		.success = !refused,
		.error_state = state_if(refused != NULL),
		.thread_count = j->process->process->threads };
	uint64_t samples = 0;

	if (!refused) {
		profile_hot_functions(profile, &j->id, PROFILE_ON_TOP, &hot);
		samples = profile_hot_functions(profile, &j->id, PROFILE_IN_USER, &in_user);
	}
	list_functions(&hot, &functions);
	add_matches(profile, &j->id, &issues);
	add_unnamed(&j->id, &in_user, samples, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.hot_functions, &functions),
		tail_buffer(&row.diagnosis, &issues),
		tail_string(&row.error, refused ? refused : ""),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* --- system calls --- */

static void count_call(struct overview_call_row *row, const struct syscalls_count *c)
{
	uint8_t state = call_times_state(c);

	row->count += c->count;
	row->errors += c->errors;
	row->total_ns += c->total_ns;
	row->timed += call_timed(c);
	if (state > row->times_state)
		row->times_state = state;
}

static void add_call(struct overview_call_row *row, struct span name, struct buffer *out)
{
	struct record_tail tail[] = { tail_span(&row->name, name) };

	row->total_time_us = (double)row->total_ns / NS_PER_US;
	if (row->timed) {
		row->avg_time_us = row->total_time_us / (double)row->timed;
		row->times_state = SOOTH_STATE_VALUE;
	}
	RECORD_APPEND(out, row, tail, 1);
}

static int compare_by_total(const void *a, const void *b)
{
	const struct syscalls_count *x = *(const struct syscalls_count *const *)a;
	const struct syscalls_count *y = *(const struct syscalls_count *const *)b;

	if (x->total_ns != y->total_ns)
		return x->total_ns < y->total_ns ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Returns the calls of one process, longest first; NULL: out of memory. */
static const struct syscalls_count **calls_of(
	const struct overview *o, const struct process_id *id, size_t *count)
{
	size_t all, kept = 0;
	const struct sooth_record **rows = reducer_rows(&o->sums.counts, &all);

	for (size_t i = 0; rows && i < all; i++) {
		if (rows[i]->pid == id->pid)
			rows[kept++] = rows[i];
	}
	if (rows)
		qsort(rows, kept, sizeof(*rows), compare_by_total);
	*count = rows ? kept : 0;
	return (const struct syscalls_count **)rows;
}

static void list_calls(const struct overview *o, const struct process_id *id, struct buffer *calls,
	struct buffer *categories)
{
	struct overview_call_row by_category[SYSCALL_CATEGORY_COUNT] = { 0 };
	size_t count;
	_cleanup_free_ const struct syscalls_count **rows = calls_of(o, id, &count);

	for (size_t i = 0; i < count; i++) {
		const struct syscall_row *known = syscall_by_number(rows[i]->abi, rows[i]->number);
		struct overview_call_row row = { 0 };
		char name[SYSCALL_NAME_SIZE];
		size_t size = syscall_name(rows[i]->abi, rows[i]->number, name);

		count_call(&row, rows[i]);
		count_call(&by_category[known ? known->category : SYSCALL_CATEGORY_OTHER], rows[i]);
		if (i < CALLS_MOST)
			add_call(&row, span_of(name, size), calls);
	}
	for (unsigned i = 0; i < SYSCALL_CATEGORY_COUNT; i++) {
		if (by_category[i].count)
			add_call(&by_category[i], span_of_string(syscall_category_name(i)),
				categories);
	}
}

/* Lists operations. Returns the state of the list. */
static uint8_t list_operations(struct overview *o, const struct process_id *id,
	enum call_operation_kind kind, bool is_requested, struct buffer *out)
{
	if (!is_requested)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	call_operations_note(
		o->output, call_operations_copy_slowest(&o->operations, id, kind, out));
	return SOOTH_STATE_VALUE;
}

static void add_calls(struct overview *o, const struct diagnosed *j, struct buffer *out)
{
	const struct diagnosis_input *input = &o->diagnosis.input;
	const char *refused = o->options.calls_refused, *picture = o->options.flamegraph_path;
	bool success = !refused && o->method.size;
	_cleanup_(buffer_fini) struct buffer calls = { 0 }, categories = { 0 }, io = { 0 },
					     network = { 0 }, issues = { 0 };
	struct overview_calls_row row = { .record = row_head(&j->id),
		.success = success,
		.duration_secs =
			(double)((o->end_ns ? o->end_ns : input->end_ns) - input->begin_ns) /
			(double)NS_PER_S,
		.duration_state = state_if(success),
		.method_state = state_if(success),
		.error_state = state_if(!success),
		.fallback_state = state_if(refused || o->fallback.size),
		.flamegraph_state = state_if(success && picture) };

	list_calls(o, &j->id, &calls, &categories);
	row.io_state = list_operations(o, &j->id, CALL_OPERATION_IO, o->options.has_io, &io);
	row.network_state = list_operations(
		o, &j->id, CALL_OPERATION_NETWORK, o->options.has_network, &network);
	add_issues(j, is_finding_of_calls, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.syscall_summary, &categories),
		tail_buffer(&row.top_syscalls, &calls),
		tail_buffer(&row.io_operations, &io),
		tail_buffer(&row.network_operations, &network),
		tail_buffer(&row.issues, &issues),
		tail_buffer(&row.method, &o->method),
		tail_string(&row.error, refused ? refused : "system calls were not observed"),
		tail_string(&row.flamegraph_path, picture ? picture : ""),
		refused ? tail_string(&row.fallback_reason, refused)
			: tail_buffer(&row.fallback_reason, &o->fallback),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* --- input --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct overview *o = state;
	int status = syscall_sums_init(&o->sums, "pid,", err);

	if (options)
		o->options = *(const struct overview_options *)options;
	o->output = output;
	call_operations_init(&o->operations);
	return status ? status : diagnosis_init(&o->diagnosis, &o->options.findings, err);
}

static void handle_source(struct overview *o, const struct stream_source *source)
{
	struct span backend = record_text(&source->record, &source->backend);
	struct span reason = record_text(&source->record, &source->fallback_reason);

	if (!span_equal(record_text(&source->record, &source->probe), "syscalls"))
		return;
	buffer_reset(&o->method);
	buffer_reset(&o->fallback);
	buffer_append(&o->method, backend.data, backend.size);
	buffer_append(&o->fallback, reason.data, reason.size);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct overview *o = state;

	batch_for_each (r, batch) {
		const struct stream_source *source = record_as(r, STREAM_SOURCE, sizeof(*source));

		if (source)
			handle_source(o, source);
		if (r->kind == STREAM_END)
			o->end_ns = r->time_ns;
		syscall_sums_add_record(&o->sums, r);
	}
	diagnosis_input_add_batch(&o->diagnosis.input, batch);
	return o->options.has_io || o->options.has_network
		       ? call_operations_add_record(&o->operations, batch, err)
		       : 0;
}

/* --- output --- */

/* Emits the head. A process that ended before it was read is not counted. */
static int emit_head(const struct overview *o, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("overview", overview_head_schema, INLINE);
	uint32_t present = 0;

	for (size_t i = 0; i < o->diagnosis.count; i++)
		present += o->diagnosis.all[i].process != NULL;
	return bundle_emit_head(o->output, &section, &o->diagnosis.input.host, present, err);
}

/* Computes the share of memory. Returns the state of the percentage. */
static uint8_t share_of_memory(const struct overview *o, uint64_t bytes, double *percent)
{
	uint64_t memory = host_state_memory(&o->diagnosis.input.host);

	if (!memory)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	*percent = (double)bytes * 100 / (double)memory;
	return SOOTH_STATE_VALUE;
}

static int emit_process(struct overview *o, const struct diagnosed *j, struct sooth_error *err)
{
	const struct proc_process *p = j->process->process;
	_cleanup_(buffer_fini) struct buffer descriptors = { 0 }, sample = { 0 }, calls = { 0 },
					     issues = { 0 };
	struct overview_process_row row = { .record = row_head(&j->id),
		.cpu = process_table_cpu_percent(j->process),
		.rss_mb = (double)p->rss_bytes / MIB,
		.command_state = p->arguments_state,
		.descriptors_state = state_if(o->options.has_descriptors),
		.calls_state = state_if(o->options.has_calls),
		.sample_state = state_if(o->options.has_samples) };

	if (row.cpu < 0)
		row.cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	row.mem_state = share_of_memory(o, p->rss_bytes, &row.mem);
	if (o->options.has_descriptors)
		add_descriptors(&o->diagnosis.input, j, &descriptors);
	if (o->options.has_samples)
		add_sample(o, j, &sample);
	if (o->options.has_calls)
		add_calls(o, j, &calls);
	add_issues(j, NULL, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.file_descriptors, &descriptors),
		tail_buffer(&row.sample, &sample),
		tail_buffer(&row.dtrace, &calls),
		tail_buffer(&row.issues, &issues),
		tail_buffer(&row.unseen, &j->blind),
		tail_text(&row.command, &p->record, &p->arguments),
	};
	return OUTPUT_ROW(o->output, &row, tail, ARRAY_SIZE(tail), err);
}

static const char *pressure_level(const struct host_memory *m)
{
	return m->full_10s >= PRESSURE_BAD   ? "critical"
	       : m->some_10s >= PRESSURE_BAD ? "warning"
					     : "normal";
}

static int emit_system(struct overview *o, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("system", overview_system_schema, OBJECT);
	const struct host_memory *m = &o->diagnosis.input.memory;
	uint8_t unread = m->record.time_ns ? 0 : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	struct overview_memory_row memory = {
		.free_memory_mb = (double)m->available_bytes / MIB,
		.free_state = unread ?: m->available_state,
		.pressure_state = unread ?: m->pressure_state,
	};
	struct overview_system_row row = { 0 };
	struct record_tail level = tail_string(&memory.pressure_level, pressure_level(m));
	_cleanup_(buffer_fini) struct buffer inner = { 0 };

	RECORD_APPEND(&inner, &memory, &level, 1);
	struct record_tail tail = tail_buffer(&row.memory, &inner);
	return output_section(o->output, &section, err)
		       ?: OUTPUT_ROW(o->output, &row, &tail, 1, err);
}

/* Lists each undecided finding once, for whichever processes. */
static void list_needs(const struct diagnosed *j, struct buffer *out)
{
	const char *reason = sooth_reason_text(SOOTH_REASON_INTERVAL);
	struct batch blind = { j->blind.data, j->blind.size };

	batch_for_each (r, &blind) {
		const struct finding_blind_row *row = (const void *)r;

		if (span_equal(record_text(r, &row->reason), reason))
			bundle_text(out, record_text(r, &row->id), NEEDS_MOST);
	}
}

static int emit_summary(struct overview *o, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("summary", overview_summary_schema, OBJECT);
	_cleanup_(buffer_fini) struct buffer critical = { 0 }, warnings = { 0 }, needs = { 0 };
	struct overview_summary_row row = { 0 };
	uint64_t rss_bytes = 0;
	size_t present = 0, measured = 0;

	for (size_t i = 0; i < o->diagnosis.count; i++) {
		const struct diagnosed *j = &o->diagnosis.all[i];
		double cpu = j->process ? process_table_cpu_percent(j->process) : -1;

		add_issues(j, is_critical, &critical);
		add_issues(j, is_warning, &warnings);
		list_needs(j, &needs);
		rss_bytes += j->process ? j->process->process->rss_bytes : 0;
		row.total_cpu += cpu > 0 ? cpu : 0;
		present += j->process != NULL;
		measured += cpu >= 0;
	}
	row.total_rss_mb = (double)rss_bytes / MIB;
	if (present && !measured)
		row.cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	row.mem_state = share_of_memory(o, rss_bytes, &row.total_mem);
	struct record_tail tail[] = {
		tail_buffer(&row.critical_issues, &critical),
		tail_buffer(&row.warnings, &warnings),
		tail_buffer(&row.needs_interval, &needs),
	};
	return output_section(o->output, &section, err)
		       ?: OUTPUT_ROW(o->output, &row, tail, ARRAY_SIZE(tail), err);
}

static bool is_process_shown(const struct diagnosis *d, uint32_t pid)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->all[i].process && d->all[i].id.pid == pid)
			return true;
	}
	return false;
}

/* Emits a note about calls of children without a row, which started and ended between two samples.
 */
static void emit_note_about_children(const struct overview *o)
{
	const struct sooth_record *r;
	uint64_t calls = 0;
	size_t position = 0;
	char what[96];

	while ((r = reducer_next(&o->sums.counts, &position)))
		calls += is_process_shown(&o->diagnosis, r->pid)
				 ? 0
				 : ((const struct syscalls_count *)(const void *)r)->count;
	if (!calls)
		return;
	snprintf(what, sizeof(what), "%llu system calls of children", (unsigned long long)calls);
	output_limit(o->output, what,
		"these children started during the observation: each row has only the calls of its "
		"own process",
		"`sooth trace -c PID` also counts the calls of children");
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("processes", overview_process_schema, TABLE);
	struct overview *o = state;
	const struct diagnosis *d = &o->diagnosis;
	int status = diagnosis_run(&o->diagnosis, err)
			     ?: call_operations_end(&o->operations, err)
			     ?: emit_head(o, err) ?: output_section(o->output, &section, err);

	for (size_t i = 1; i < d->count && !status; i++)
		status = d->all[i].process ? emit_process(o, &d->all[i], err) : 0;
	if (!status)
		status = finding_gone_emit_all(o->output, &d->input, d->all, d->count, err);
	if (!status && o->options.has_calls)
		emit_note_about_children(o);
	return status ?: emit_system(o, err) ?: emit_summary(o, err);
}

static void fini(void *state)
{
	struct overview *o = state;

	diagnosis_fini(&o->diagnosis);
	syscall_sums_fini(&o->sums);
	call_operations_fini(&o->operations);
	buffer_fini(&o->method);
	buffer_fini(&o->fallback);
}

const struct stage_type stage_overview = {
	.name = "overview",
	.help = "findings in the format of claude-diagnose",
	.shows = "proc",
	STAGE_FUNCTIONS(struct overview),
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report of claude-diagnose: the diagnosis of the view "findings" in the members that scripts
 * rely on, with descriptors and system calls of each process.
 */
#include "analyze/overview/overview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/syscall_sums.h"
#include "analyze/diagnosis/findings_emit.h"
#include "analyze/overview/call_operations.h"
#include "analyze/overview/overview_parts.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define MIB	     (1024.0 * 1024.0)
#define PRESSURE_BAD 10.0 /* percent of ten seconds */
#define NEEDS_MOST   64	  /* most findings that are named */
#define CALLS_MOST   100

struct overview {
	struct overview_options options;
	struct output *output;
	struct diagnosis diagnosis;
	struct syscall_sums sums;
	struct call_operations operations;
	uint64_t end_ns;	/* of the run; 0: it has not ended */
	struct buffer method;	/* the backend of system calls; empty: none */
	struct buffer fallback; /* why no better one */
};

/* --- system calls of a process --- */

struct call_sum {
	uint64_t count, errors, total_ns, timed;
	uint8_t untimed_state; /* of processes without timed calls */
};

static void add_count_up(struct call_sum *sum, const struct syscalls_count *c)
{
	sum->count += c->count;
	sum->errors += c->errors;
	sum->total_ns += c->total_ns;
	sum->timed += call_timed(c);
	if (call_times_state(c) > sum->untimed_state)
		sum->untimed_state = call_times_state(c);
}

static void add_sum(const struct process_id *id, struct span name, const struct call_sum *sum,
	struct buffer *out)
{
	double total_us = (double)sum->total_ns / NS_PER_US;
	struct overview_call_row row = { .record = row_head(id),
		.count = sum->count,
		.errors = sum->errors,
		.total_time_us = total_us,
		.avg_time_us = sum->timed ? total_us / (double)sum->timed : 0,
		.times_state = sum->timed ? SOOTH_STATE_VALUE : sum->untimed_state };
	struct record_tail tail[] = { tail_span(&row.name, name) };

	RECORD_APPEND(out, &row, tail, 1);
}

static int by_total(const void *a, const void *b)
{
	const struct syscalls_count *x = *(const struct syscalls_count *const *)a;
	const struct syscalls_count *y = *(const struct syscalls_count *const *)b;

	if (x->total_ns != y->total_ns)
		return x->total_ns < y->total_ns ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

/* The rows of the process alone, the longest first; NULL: out of memory. */
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
		qsort(rows, kept, sizeof(*rows), by_total);
	*count = rows ? kept : 0;
	return (const struct syscalls_count **)rows;
}

static void list_calls(const struct overview *o, const struct process_id *id, struct buffer *calls,
	struct buffer *categories)
{
	struct call_sum by_category[SYSCALL_CATEGORY_COUNT] = { 0 };
	size_t count;
	_cleanup_free_ const struct syscalls_count **rows = calls_of(o, id, &count);

	for (size_t i = 0; i < count; i++) {
		const struct syscall_row *known = syscall_by_number(rows[i]->abi, rows[i]->number);
		struct call_sum sum = { 0 };
		char name[SYSCALL_NAME_SIZE];
		size_t size = syscall_name(rows[i]->abi, rows[i]->number, name);

		add_count_up(&sum, rows[i]);
		add_count_up(
			&by_category[known ? known->category : SYSCALL_CATEGORY_OTHER], rows[i]);
		if (i < CALLS_MOST)
			add_sum(id, span_of(name, size), &sum, calls);
	}
	for (unsigned i = 0; i < SYSCALL_CATEGORY_COUNT; i++) {
		const char *name = syscall_category_name(i);

		if (by_category[i].count)
			add_sum(id, span_of_string(name), &by_category[i], categories);
	}
}

static uint8_t requested_state(bool was_requested)
{
	return was_requested ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
}

static void fill_calls(const struct overview *o, const struct diagnosis_input *input,
	struct overview_calls_row *row)
{
	const char *refused = o->options.calls_refused;
	uint64_t end_ns = o->end_ns ? o->end_ns : input->end_ns;

	row->success = !refused && o->method.size;
	row->duration_secs = (double)(end_ns - input->begin_ns) / (double)NS_PER_S;
	row->duration_state = state_if(row->success);
	row->method_state = state_if(row->success);
	row->error_state = state_if(!row->success);
	row->fallback_state = state_if(refused || o->fallback.size);
	row->io_state = requested_state(o->options.has_io);
	row->network_state = requested_state(o->options.has_network);
	row->flamegraph_state = state_if(row->success && o->options.flamegraph_path);
}

static void overview_add_calls(struct overview *o, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out)
{
	const char *refused = o->options.calls_refused ? o->options.calls_refused
						       : "system calls were not observed";
	const char *picture = o->options.flamegraph_path ? o->options.flamegraph_path : "";
	struct overview_calls_row row = { .record = row_head(&j->id) };
	_cleanup_(buffer_fini) struct buffer calls = { 0 }, categories = { 0 }, io = { 0 },
					     network = { 0 }, issues = { 0 };

	fill_calls(o, input, &row);
	list_calls(o, &j->id, &calls, &categories);
	if (o->options.has_io)
		call_operations_note(o->output,
			call_operations_list(&o->operations, &j->id, CALL_OPERATION_IO, &io));
	if (o->options.has_network)
		call_operations_note(o->output, call_operations_list(&o->operations, &j->id,
							CALL_OPERATION_NETWORK, &network));
	overview_add_issues(j, overview_is_of_calls, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.syscall_summary, &categories),
		tail_buffer(&row.top_syscalls, &calls),
		tail_buffer(&row.io_operations, &io),
		tail_buffer(&row.network_operations, &network),
		tail_buffer(&row.issues, &issues),
		tail_buffer(&row.method, &o->method),
		tail_string(&row.error, row.success ? "" : refused),
		tail_string(&row.flamegraph_path, picture),
		o->options.calls_refused ? tail_string(&row.fallback_reason, refused)
					 : tail_buffer(&row.fallback_reason, &o->fallback),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* --- the report --- */

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

static void take_source(struct overview *o, const struct stream_source *source)
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
			take_source(o, source);
		if (r->kind == STREAM_END)
			o->end_ns = r->time_ns;
		syscall_sums_take(&o->sums, r);
	}
	diagnosis_input_take(&o->diagnosis.input, batch);
	return o->options.has_io || o->options.has_network
		       ? call_operations_take(&o->operations, batch, err)
		       : 0;
}

/* --- output --- */

static int emit_head(
	struct output *output, const struct host_state *h, size_t count, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("overview", overview_head_schema, INLINE);
	struct overview_head_row row = { .process_count = (uint32_t)count };
	char timestamp[UNITS_SIZE] = "";
	struct span none = span_of("", 0);
	int status = output_section(output, &section, err);

	if (h->segment)
		format_utc(timestamp, host_state_utc(h));
	struct record_tail tail[] = {
		tail_string(&row.timestamp, timestamp),
		tail_span(&row.hostname,
			h->segment ? host_state_text(h, &h->segment->hostname) : none),
		tail_span(&row.os_version,
			h->segment ? host_state_text(h, &h->segment->os_version) : none),
	};
	return status ? status : OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static void fill_process(const struct overview *o, const struct diagnosis_input *input,
	const struct diagnosed *j, struct overview_process_row *row)
{
	uint64_t memory = host_state_memory(&input->host);

	*row = (struct overview_process_row){ .record = row_head(&j->id),
		.cpu = process_table_cpu_percent(j->process),
		.rss_mb = (double)j->process->process->rss_bytes / MIB,
		.command_state = j->process->process->arguments_state,
		.descriptors_state =
			o->options.has_descriptors ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.calls_state = o->options.has_calls ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.sample_state = o->options.has_samples ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	if (row->cpu < 0)
		row->cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	if (memory)
		row->mem = (double)j->process->process->rss_bytes * 100 / (double)memory;
	else
		row->mem_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

static int emit_process(struct overview *o, struct output *output,
	const struct diagnosis_input *input, const struct diagnosed *j, struct sooth_error *err)
{
	const struct proc_process *p = j->process->process;
	_cleanup_(buffer_fini) struct buffer descriptors = { 0 }, sample = { 0 }, calls = { 0 },
					     issues = { 0 };
	struct overview_process_row row;

	fill_process(o, input, j, &row);
	if (o->options.has_descriptors)
		overview_add_descriptors(input, j, &descriptors);
	if (o->options.has_samples)
		overview_add_sample(o->options.sample_refused, input, j, &sample);
	if (o->options.has_calls)
		overview_add_calls(o, input, j, &calls);
	overview_add_issues(j, NULL, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.file_descriptors, &descriptors),
		tail_buffer(&row.sample, &sample),
		tail_buffer(&row.dtrace, &calls),
		tail_buffer(&row.issues, &issues),
		tail_buffer(&row.unseen, &j->blind),
		tail_text(&row.command, &p->record, &p->arguments),
	};
	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static const char *pressure_level(const struct host_memory *m)
{
	return m->full_10s >= PRESSURE_BAD   ? "critical"
	       : m->some_10s >= PRESSURE_BAD ? "warning"
					     : "normal";
}

static int emit_system(struct output *output, const struct host_memory *m, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("system", overview_system_schema, OBJECT);
	bool is_there = m->record.time_ns != 0;
	struct overview_memory_row memory = {
		.free_memory_mb = (double)m->available_bytes / MIB,
		.free_state =
			is_there ? m->available_state : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.pressure_state =
			is_there ? m->pressure_state : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
	};
	struct overview_system_row row = { .record = { 0 } };
	struct record_tail words[] = { tail_string(&memory.pressure_level, pressure_level(m)) };
	_cleanup_(buffer_fini) struct buffer inner = { 0 };
	int status = output_section(output, &section, err);

	RECORD_APPEND(&inner, &memory, words, 1);
	struct record_tail tail[] = { tail_buffer(&row.memory, &inner) };
	if (!status)
		status = OUTPUT_ROW(output, &row, tail, 1, err);
	return status;
}

static bool is_listed(const struct buffer *texts, struct span id)
{
	for (size_t at = 0; at < texts->size;) {
		const char *text = (const char *)texts->data + at;

		if (span_equal(id, text))
			return true;
		at += strlen(text) + 1;
	}
	return false;
}

/* Each finding once, whatever processes it was undecided for. */
static void list_needs(const struct diagnosed *all, size_t count, struct buffer *out)
{
	const char *reason = sooth_reason_text(SOOTH_REASON_INTERVAL);
	size_t named = 0;

	for (size_t i = 0; i < count; i++) {
		struct batch blind = { all[i].blind.data, all[i].blind.size };

		batch_for_each (r, &blind) {
			const struct finding_blind_row *row = (const void *)r;
			struct span id = record_text(r, &row->id);

			if (!span_equal(record_text(r, &row->reason), reason) ||
				is_listed(out, id) || named++ >= NEEDS_MOST)
				continue;
			buffer_append(out, id.data, id.size);
			buffer_char(out, '\0');
		}
	}
}

/* A process that ended before anything was read of it is not counted. */
static size_t count_present(const struct diagnosed *all, size_t count)
{
	size_t present = 0;

	for (size_t i = 1; i < count; i++)
		present += all[i].process != NULL;
	return present;
}

static void add_up(const struct diagnosis_input *input, const struct diagnosed *all, size_t count,
	struct overview_summary_row *row)
{
	uint64_t memory = host_state_memory(&input->host), rss_bytes = 0;
	size_t measured = 0;

	for (size_t i = 1; i < count; i++) {
		double cpu = all[i].process ? process_table_cpu_percent(all[i].process) : -1;

		if (!all[i].process)
			continue;

		rss_bytes += all[i].process->process->rss_bytes;
		row->total_cpu += cpu > 0 ? cpu : 0;
		measured += cpu >= 0;
	}
	row->total_rss_mb = (double)rss_bytes / MIB;
	if (count_present(all, count) && !measured)
		row->cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	if (memory)
		row->total_mem = (double)rss_bytes * 100 / (double)memory;
	else
		row->mem_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

static bool is_critical(const struct finding_row *finding)
{
	return finding->severity >= FINDING_HIGH;
}

static bool is_warning(const struct finding_row *finding)
{
	return !is_critical(finding);
}

static int emit_summary(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *all, size_t count, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("summary", overview_summary_schema, OBJECT);
	_cleanup_(buffer_fini) struct buffer critical = { 0 }, warnings = { 0 }, needs = { 0 };
	struct overview_summary_row row = { .record = { 0 } };
	int status = output_section(output, &section, err);

	add_up(input, all, count, &row);
	for (size_t i = 0; i < count; i++) {
		overview_add_issues(&all[i], is_critical, &critical);
		overview_add_issues(&all[i], is_warning, &warnings);
	}
	list_needs(all, count, &needs);
	struct record_tail tail[] = {
		tail_buffer(&row.critical_issues, &critical),
		tail_buffer(&row.warnings, &warnings),
		tail_buffer(&row.needs_interval, &needs),
	};
	if (!status)
		status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	return status;
}

static bool is_shown(const struct diagnosed *all, size_t count, uint32_t pid)
{
	for (size_t i = 1; i < count; i++) {
		if (all[i].process && all[i].id.pid == pid)
			return true;
	}
	return false;
}

/* Children are followed too, but those that came and went have no row. */
static void note_others(const struct overview *o, const struct diagnosed *all, size_t count)
{
	uint64_t calls = 0;
	char what[96];
	size_t row_count;
	_cleanup_free_ const struct sooth_record **rows = reducer_rows(&o->sums.counts, &row_count);

	for (size_t i = 0; rows && i < row_count; i++) {
		if (!is_shown(all, count, rows[i]->pid))
			calls += ((const struct syscalls_count *)(const void *)rows[i])->count;
	}
	if (!calls)
		return;
	snprintf(what, sizeof(what), "%llu system calls of children", (unsigned long long)calls);
	output_limit(o->output, what,
		"they began meanwhile: each process listed has its own calls alone",
		"`sooth trace -c PID` counts those of children too");
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("processes", overview_process_schema, TABLE);
	struct overview *o = state;
	const struct diagnosis_input *input = &o->diagnosis.input;
	int status = diagnosis_run(&o->diagnosis, err);
	const struct diagnosed *all = o->diagnosis.all;
	size_t count = o->diagnosis.count;

	if (!status)
		status = call_operations_end(&o->operations, err);
	if (!status)
		status = emit_head(o->output, &input->host, count_present(all, count), err);
	if (!status)
		status = output_section(o->output, &section, err);
	for (size_t i = 1; i < count && !status; i++)
		status = all[i].process ? emit_process(o, o->output, input, &all[i], err) : 0;
	if (!status)
		status = finding_gone_emit_all(o->output, input, all, count, err);
	if (!status && o->options.has_calls)
		note_others(o, all, count);
	if (!status)
		status = emit_system(o->output, &input->memory, err);
	return status ? status : emit_summary(o->output, input, all, count, err);
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

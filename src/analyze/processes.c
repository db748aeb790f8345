/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of processes: the last sample of each, CPU in percent between its
 * first and its last, and what the recognisers make of it.
 */
#include "analyze/processes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/process_evidence.h"
#include "analyze/process_rows.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "core/agent.h"
#include "core/script.h"
#include "core/stage.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include "probes/proc.h"

#define PROCESSES_MAX 65536
#define TIME_SIZE     32

/* --- state --- */

struct seen_process {
	uint64_t first_ns, last_ns;
	uint64_t first_cpu_ns;
	struct proc_process *last; /* a copy of the whole record */
};

struct processes_state {
	struct output *output;
	struct processes_options options;
	struct map seen; /* process_id -> struct seen_process */
	uint64_t snapshot_from_ns;
	bool is_named; /* the target is processes, not a host or a user */
	uint64_t last_ns;
	struct stream_segment *segment;
	int64_t realtime_offset_ns; /* the newest: the clock may be set meanwhile */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct processes_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct processes_options *)options;
	map_init(&s->seen, sizeof(struct process_id), sizeof(struct seen_process), PROCESSES_MAX);
	return 0;
}

/* --- taking --- */

static bool is_named_target(struct span selector)
{
	return span_equal(selector, "pid") || span_equal(selector, "command");
}

static void *record_copy(const struct sooth_record *r, size_t fixed)
{
	void *copy;

	if (!record_holds(r, fixed))
		return NULL;
	copy = malloc(record_bytes(r));
	return copy ? memcpy(copy, r, record_bytes(r)) : NULL;
}

static void take_process(struct processes_state *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct proc_process *copy = record_copy(r, PROC_PROCESS_LEAST);
	struct seen_process *seen = copy ? map_put(&s->seen, &id, NULL) : NULL;

	if (!seen) {
		free(copy);
		return;
	}
	if (!seen->last) {
		seen->first_ns = r->time_ns;
		seen->first_cpu_ns = copy->cpu_ns;
	}
	seen->last_ns = r->time_ns;
	/* A zombie has no memory, no command, no directory: what it had stands. */
	if (copy->state == 'Z' && seen->last && seen->last->state != 'Z') {
		seen->last->state = copy->state;
		seen->last->cpu_ns = copy->cpu_ns;
		free(copy);
		return;
	}
	free(seen->last);
	seen->last = copy;
}

static void take_segment(struct processes_state *s, const struct sooth_record *r)
{
	struct stream_segment *copy = record_copy(r, sizeof(*copy));

	if (!copy)
		return;
	free(s->segment);
	s->segment = copy;
	s->realtime_offset_ns = copy->realtime_offset_ns;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct processes_state *s = state;

	(void)err;
	batch_for_each (r, batch) {
		if (r->time_ns > s->last_ns)
			s->last_ns = r->time_ns;
		if (r->kind == PROC_PROCESS)
			take_process(s, r);
		else if (r->kind == PROC_SNAPSHOT &&
			 r->words * SOOTH_RECORD_WORD >= (int)sizeof(struct proc_snapshot))
			s->snapshot_from_ns = ((const struct proc_snapshot *)r)->from_ns;
		else if (r->kind == STREAM_SEGMENT)
			take_segment(s, r);
		else if (r->kind == STREAM_TARGET)
			s->is_named = is_named_target(record_field_text(r, "selector"));
		else if (record_as(r, STREAM_TICK, sizeof(struct stream_tick)))
			s->realtime_offset_ns = ((const struct stream_tick *)r)->realtime_offset_ns;
	}
	return 0;
}

/* --- judging --- */

/* The last part of the directory. */
static struct span last_part(struct span path)
{
	return path.size == 1 ? path : path_base(path);
}

/* The contract's rule: --append-system-prompt "Working in: NAME @TTY" names the project. */
static struct span project_of(struct span arguments, struct span directory)
{
	static const char option[] = "--append-system-prompt";
	static const char prefix[] = "Working in: ";
	struct cursor c = cursor_over(arguments.data, arguments.size);

	while (!cursor_at_end(&c)) {
		struct span word = cursor_until(&c, '\0');
		const char *at;

		if (span_equal(word, option))
			word = cursor_until(&c, '\0');
		else if (!span_starts(word, option))
			continue;
		at = memmem(word.data, word.size, prefix, strlen(prefix));
		if (!at)
			continue;
		at += strlen(prefix);
		word = span_of(at, word.size - (size_t)(at - word.data));
		at = memmem(word.data, word.size, " @", 2);
		return at ? span_of(word.data, (size_t)(at - word.data)) : word;
	}
	return last_part(directory);
}

static void format_elapsed(uint64_t s, char out[TIME_SIZE])
{
	unsigned days = (unsigned)(s / 86400), hours = (unsigned)(s / 3600 % 24);
	unsigned minutes = (unsigned)(s / 60 % 60), seconds = (unsigned)(s % 60);

	if (days)
		snprintf(out, TIME_SIZE, "%u-%02u:%02u:%02u", days, hours, minutes, seconds);
	else if (hours)
		snprintf(out, TIME_SIZE, "%02u:%02u:%02u", hours, minutes, seconds);
	else
		snprintf(out, TIME_SIZE, "%02u:%02u", minutes, seconds);
}

static uint64_t elapsed_s(const struct processes_state *s, const struct seen_process *seen)
{
	uint64_t ticks = s->segment && s->segment->ticks_per_s ? s->segment->ticks_per_s : 100;
	int64_t boottime = s->segment ? s->segment->boottime_offset_ns : 0;
	uint64_t now_s = (seen->last_ns + (uint64_t)boottime) / NS_PER_S;
	uint64_t start_s = seen->last->record.start_ticks / ticks;

	return now_s > start_s ? now_s - start_s : 0;
}

static void fill_figures(
	const struct processes_state *s, const struct seen_process *seen, struct process_row *row)
{
	const struct proc_process *p = seen->last;
	uint64_t memory = s->segment ? s->segment->memory_bytes : 0;

	row->record = p->record;
	row->ppid = p->ppid;
	row->uid = p->uid;
	row->threads = p->threads;
	row->state = p->state;
	row->is_deleted = p->is_deleted;
	row->rss_bytes = p->rss_bytes;
	row->rss_kb = p->rss_bytes / 1024;
	row->vsz_kb = p->vsz_bytes / 1024;
	row->open_files = p->descriptors;
	row->open_files_state = p->descriptors_state;
	row->cwd_state = p->directory_state;
	row->command_state = p->arguments_state;
	row->executable_state = p->executable_state;
	row->elapsed_s = elapsed_s(s, seen);
	if (seen->last_ns > seen->first_ns)
		row->cpu_percent = (double)(p->cpu_ns - seen->first_cpu_ns) * 100 /
				   (double)(seen->last_ns - seen->first_ns);
	else
		row->cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	if (memory)
		row->mem_percent = (double)p->rss_bytes * 100 / (double)memory;
	else
		row->mem_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
}

struct judged_process {
	const struct seen_process *seen;
	const struct agent *agent;
	struct agent_match match;
	double cpu_percent; /* for sorting */
};

static void judge(const struct seen_process *seen, struct judged_process *j)
{
	const struct sooth_record *r = &seen->last->record;
	struct agent_evidence evidence = process_evidence(r);

	j->seen = seen;
	j->agent = agent_recognise(&evidence, &j->match);
	j->cpu_percent = seen->last_ns > seen->first_ns
				 ? (double)(seen->last->cpu_ns - seen->first_cpu_ns) /
					   (double)(seen->last_ns - seen->first_ns)
				 : 0;
}

static int by_cpu(const void *a, const void *b)
{
	const struct judged_process *x = a, *y = b;
	const struct proc_process *p = x->seen->last, *q = y->seen->last;

	if (x->cpu_percent != y->cpu_percent)
		return x->cpu_percent < y->cpu_percent ? 1 : -1;
	if (p->rss_bytes != q->rss_bytes)
		return p->rss_bytes < q->rss_bytes ? 1 : -1;
	return p->record.pid < q->record.pid ? -1 : p->record.pid > q->record.pid;
}

static bool only_agents(const struct processes_state *s)
{
	return s->options.only_agents && !s->is_named;
}

static bool is_shown(const struct processes_state *s, const struct judged_process *j)
{
	if (only_agents(s) && !j->agent)
		return false;
	return !s->options.hide_ended || j->seen->last_ns >= s->snapshot_from_ns;
}

static struct judged_process *judge_all(struct processes_state *s, size_t *count)
{
	struct judged_process *all = calloc(s->seen.count + 1, sizeof(*all));
	size_t position = 0;
	void *value;

	*count = 0;
	while (all && map_next(&s->seen, &position, NULL, &value)) {
		judge(value, &all[*count]);
		if (is_shown(s, &all[*count]))
			++*count;
	}
	if (all)
		qsort(all, *count, sizeof(*all), by_cpu);
	return all;
}

/* --- telling --- */

static int tell_process(
	struct processes_state *s, const struct judged_process *j, struct sooth_error *err)
{
	const struct sooth_record *r = &j->seen->last->record;
	struct span directory = record_field_text(r, "directory");
	struct span arguments = record_field_text(r, "arguments");
	struct process_row row = { 0 };
	char elapsed[TIME_SIZE];

	fill_figures(s, j->seen, &row);
	format_elapsed(row.elapsed_s, elapsed);
	row.agent_state = j->agent ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	row.project_state = j->agent ? row.cwd_state : SOOTH_STATE_ABSENT;
	row.version_state = !j->agent		    ? SOOTH_STATE_ABSENT
			    : j->match.version.size ? SOOTH_STATE_VALUE
						    : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	row.session_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_JUDGED);
	row.orphaned_state = row.outdated_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_JUDGED);
	struct record_tail tail[] = {
		tail_span(&row.elapsed_time, span_of(elapsed, strlen(elapsed))),
		tail_span(&row.name, record_field_text(r, "name")),
		tail_span(&row.command, arguments),
		tail_span(&row.executable, record_field_text(r, "executable")),
		tail_span(&row.cwd, directory),
		tail_span(&row.agent, j->agent ? span_of(j->agent->name, strlen(j->agent->name))
					       : span_of("", 0)),
		tail_span(&row.rule,
			j->agent ? span_of(j->match.rule, strlen(j->match.rule)) : span_of("", 0)),
		tail_span(&row.version, j->match.version),
		tail_span(&row.project, project_of(arguments, directory)),
	};
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int tell_host(struct processes_state *s, size_t count, struct sooth_error *err)
{
	static const struct section section = {
		.name = "host", .schema = &host_row_schema, .shape = SECTION_INLINE
	};
	const struct sooth_record *r = s->segment ? &s->segment->record : NULL;
	struct host_row row = { .process_count = (uint32_t)count,
		.orphaned_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_JUDGED),
		.outdated_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_JUDGED),
		.latest_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_JUDGED) };
	char timestamp[UNITS_SIZE] = "";
	int status = output_section(s->output, &section, err);

	if (s->segment)
		format_utc(timestamp, s->last_ns + (uint64_t)s->realtime_offset_ns);
	struct record_tail tail[] = {
		tail_span(&row.timestamp, span_of(timestamp, strlen(timestamp))),
		tail_span(&row.hostname, r ? record_field_text(r, "hostname") : span_of("", 0)),
		tail_span(&row.os, r ? record_field_text(r, "os") : span_of("", 0)),
		tail_span(&row.os_version, r ? record_field_text(r, "os_version") : span_of("", 0)),
	};
	return status ? status : OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int tell_totals(struct processes_state *s, const struct judged_process *all, size_t count,
	struct sooth_error *err)
{
	static const struct section section = {
		.name = "totals", .schema = &totals_row_schema, .shape = SECTION_OBJECT
	};
	struct totals_row row = { .processes = (uint32_t)count };
	uint64_t memory = s->segment ? s->segment->memory_bytes : 0;
	uint64_t rss_bytes = 0;
	char human[UNITS_SIZE];
	int status = output_section(s->output, &section, err);

	for (size_t i = 0; i < count; i++) {
		rss_bytes += all[i].seen->last->rss_bytes;
		row.cpu_percent += all[i].cpu_percent * 100;
	}
	row.rss_kb = rss_bytes / 1024;
	row.mem_percent = memory ? (double)rss_bytes * 100 / (double)memory : 0;
	format_bytes(human, rss_bytes);
	struct record_tail tail[] = {
		tail_span(&row.rss_human, span_of(human, strlen(human))),
	};
	return status ? status : OUTPUT_ROW(s->output, &row, tail, 1, err);
}

#define FIGURES "pid,ppid,cpu_percent,mem_percent,rss_bytes,state,elapsed_time,"

/* By whether rules are shown. */
#define AGENTS_SECTION(columns_)                                                                   \
	{                                                                                          \
		.name = "processes", .schema = &process_row_schema, .shape = SECTION_TABLE,        \
		.columns = FIGURES columns_,                                                       \
		.if_empty = "no agents are running here; `sooth ps -a` lists every process"        \
	}
static const struct section agents_sections[] = {
	AGENTS_SECTION("agent,version,project"),
	AGENTS_SECTION("agent,version,project,rule"),
};

#define ALL_SECTION(columns_)                                                                      \
	{                                                                                          \
		.name = "processes", .schema = &process_row_schema, .shape = SECTION_TABLE,        \
		.columns = FIGURES columns_, .if_empty = "no processes were seen"                  \
	}
static const struct section all_sections[] = {
	ALL_SECTION("name,agent,command"),
	ALL_SECTION("name,agent,rule,command"),
};

static int finish(void *state, struct sooth_error *err)
{
	struct processes_state *s = state;
	size_t count;
	_cleanup_free_ struct judged_process *all = judge_all(s, &count);
	int status;

	if (!all)
		return error_no_memory(err);
	if (s->seen.refused)
		output_limit(s->output, "some processes", "there were more than a list holds", "");
	status = tell_host(s, count, err);
	if (!status)
		status = output_section(s->output,
			only_agents(s) ? &agents_sections[s->options.show_rules]
				       : &all_sections[s->options.show_rules],
			err);
	for (size_t i = 0; i < count && !status; i++)
		status = tell_process(s, &all[i], err);
	return status ? status : tell_totals(s, all, count, err);
}

static void fini(void *state)
{
	struct processes_state *s = state;
	size_t position = 0;
	void *value;

	while (map_next(&s->seen, &position, NULL, &value))
		free(((struct seen_process *)value)->last);
	map_fini(&s->seen);
	free(s->segment);
}

const struct stage_type stage_processes = {
	.name = "processes",
	.help = "processes with CPU, memory and the agent they are",
	.probe = "proc",
	.shows = "proc",
	.state_size = sizeof(struct processes_state),
	.init = init,
	.push = push,
	.finish = finish,
	.fini = fini,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of system calls: one row per call over all threads and processes of
 * the target, with its errors. Aggregates and single calls are merged the same
 * way, so a capture of either kind gives the same rows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_notes.h"
#include "analyze/calls/operation_lives.h"
#include "analyze/calls/process_fields.h"
#include "analyze/calls/syscall_sums.h"
#include "analyze/calls/syscall_table.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "model/stream_records.h"
#include "probes/syscall_arguments.h"
#include "probes/syscall_set.h"
#include "probes/syscalls.h"

#define PEOPLE_ROWS 40 /* most rows per process in text; -j prints all */

#define CALL_ROW(F, S)                                                                             \
	F(S, RECORD, U64, pid, pid, MAYBE(process_state),                                          \
		"process id in the pid namespace of sooth")                                        \
	F(S, TEXT, process, MAYBE(name_state), "name of the process")                              \
	F(S, TEXT, name, ALWAYS,                                                                   \
		"name of the system call; prefixed with the ABI if not the native one",            \
		.label = "CALL")                                                                   \
	F(S, U64, count, ALWAYS, "system calls that returned or ended the thread",                 \
		.label = "CALLS", .merge = SOOTH_MERGE_SUM)                                        \
	F(S, U64, errors, ALWAYS, "number of failed system calls", .merge = SOOTH_MERGE_SUM)       \
	F(S, U64, unfinished, ALWAYS, "system calls still running at the end of the recording")    \
	F(S, U64, untimed, ALWAYS,                                                                 \
		"system calls without a duration: entered before attach, or never returned",       \
		.merge = SOOTH_MERGE_SUM, .is_hidden = true)                                       \
	F(S, U64, total_ns, MAYBE(times_state), "total time in all timed system calls",            \
		.unit = SOOTH_UNIT_NS, .label = "TOTAL", .merge = SOOTH_MERGE_SUM)                 \
	F(S, U64, mean_ns, WITH(times_state), "mean time of a timed system call",                  \
		.unit = SOOTH_UNIT_NS, .label = "MEAN")                                            \
	F(S, U64, p50_ns, WITH(times_state),                                                       \
		"median duration of the system call, estimated from its histogram",                \
		.unit = SOOTH_UNIT_NS, .label = "P50")                                             \
	F(S, U64, p99_ns, WITH(times_state),                                                       \
		"99th percentile of the call's duration, estimated from its histogram",            \
		.unit = SOOTH_UNIT_NS, .label = "P99")                                             \
	F(S, U64, max_ns, WITH(times_state), "duration of the longest system call",                \
		.unit = SOOTH_UNIT_NS, .label = "MAX", .merge = SOOTH_MERGE_MAX)                   \
	F(S, REAL, share_percent, MAYBE(share_state),                                              \
		"share of the time in all non-waiting calls; null: a call that waits by design",   \
		.label = "SHARE%", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                      \
	F(S, NAMED, BOOL, waits, is_wait, ALWAYS,                                                  \
		"the system call waits by design, for an event or a timeout", .label = "WAITS")    \
	F(S, ENUM32, category, ALWAYS, "category of the system call: file, network, memory, ...",  \
		.names = &syscall_category_names, .is_hidden = true)                               \
	F(S, ALSO, HISTOGRAM, histogram, histogram_ns, ALWAYS,                                     \
		"histogram: slot i counts calls that took from 2^i to 2^(i+1) ns",                 \
		.unit = SOOTH_UNIT_NS, .label = "TIMES")

ROW_STRUCT(call_row, CALL_ROW, uint32_t histogram[SYSCALLS_BUCKETS];);

static const struct sooth_schema call_schema =
	ROW_SCHEMA_OF(CALL_ROW, "syscalls", call_row, PROCESS_FIELD_COUNT);
static const struct sooth_schema call_process_schema =
	ROW_SCHEMA_OF(CALL_ROW, "syscalls", call_row, 0);

#define ERROR_ROW(F, S)                                                                            \
	F(S, RECORD, U64, pid, pid, MAYBE(process_state),                                          \
		"process id in the pid namespace of sooth")                                        \
	F(S, TEXT, process, MAYBE(name_state), "name of the process")                              \
	F(S, TEXT, name, ALWAYS, "name of the system call", .label = "CALL")                       \
	F(S, ERRNO32, error, ALWAYS, "errno name of the error")                                    \
	F(S, U64, count, ALWAYS, "number of occurrences", .label = "CALLS",                        \
		.merge = SOOTH_MERGE_SUM)

ROW_STRUCT(error_row, ERROR_ROW);

static const struct sooth_schema error_schema =
	ROW_SCHEMA_OF(ERROR_ROW, "errors", error_row, PROCESS_FIELD_COUNT);
static const struct sooth_schema error_process_schema =
	ROW_SCHEMA_OF(ERROR_ROW, "errors", error_row, 0);

struct table_state {
	struct output *output;
	struct syscall_table_options options;
	struct syscall_set set;
	struct syscall_sums sums, all; /* all: the whole run, if intervals are reported */
	struct call_notes notes;
	struct operation_lives lives; /* names of processes, for tables per process */
	uint64_t working_ns;	      /* time in calls that do not wait */
	bool is_over;
};

/* Returns the key of the sums. A reused PID shares the row of its former process. */
static const char *key_of(const struct table_state *s)
{
	return s->options.by_process ? "pid," : "";
}

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct table_state *s = state;
	int status;

	s->output = output;
	if (options)
		s->options = *(const struct syscall_table_options *)options;
	operation_lives_init(&s->lives);
	status = syscall_sums_init(&s->sums, key_of(s), err);
	if (!status)
		status = call_notes_init(&s->notes, err);
	if (!status)
		status = syscall_set_parse(&s->set, s->options.set, err);
	return status ?: syscall_sums_init(&s->all, key_of(s), err);
}

static bool is_call_selected(const struct table_state *s, uint32_t abi, uint32_t number)
{
	return s->set.is_all || syscall_set_has(&s->set, syscall_by_number(abi, number));
}

/* Returns whether the call was selected: a live stream also has calls that change descriptors, and
 * a capture has the calls that its recording selected. */
static bool is_requested_for(const struct table_state *s, const struct sooth_record *r)
{
	const void *known;

	if ((known = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST))) {
		const struct syscalls_call *call = known;

		return is_call_selected(s, call->abi, call->number);
	}
	if ((known = record_as(r, SYSCALLS_COUNT, SYSCALLS_COUNT_LEAST))) {
		const struct syscalls_count *count = known;

		return is_call_selected(s, count->abi, count->number);
	}
	if ((known = record_as(r, SYSCALLS_ERROR, sizeof(struct syscalls_error)))) {
		const struct syscalls_error *error = known;

		return is_call_selected(s, error->abi, error->number);
	}
	return false;
}

static void store_name(struct table_state *s, const struct sooth_record *r)
{
	const void *known = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST);

	if (known)
		operation_lives_name(&s->lives, known);
	else
		operation_lives_add_record(&s->lives, r);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)err;
	batch_for_each (r, batch) {
		if (is_requested_for(s, r)) {
			syscall_sums_add_record(&s->sums, r);
			if (s->options.is_repeated)
				syscall_sums_add_record(&s->all, r);
		}
		if (s->options.by_process)
			store_name(s, r);
		call_notes_add_record(&s->notes, r);
		s->is_over |= r->kind == STREAM_END;
	}
	return 0;
}

static int compare_by_process(const struct sooth_record *a, const struct sooth_record *b)
{
	return smaller_first(a->pid, b->pid) ?: smaller_first(a->start_ticks, b->start_ticks);
}

static int compare_by_total(const void *a, const void *b)
{
	const struct syscalls_count *x = *(const struct syscalls_count *const *)a;
	const struct syscalls_count *y = *(const struct syscalls_count *const *)b;
	int order = larger_first(x->total_ns, y->total_ns);

	order = order ?: smaller_first(x->abi, y->abi);
	order = order ?: smaller_first(x->number, y->number);
	return order ?: compare_by_process(&x->record, &y->record);
}

static int compare_by_count(const void *a, const void *b)
{
	const struct syscalls_error *x = *(const struct syscalls_error *const *)a;
	const struct syscalls_error *y = *(const struct syscalls_error *const *)b;
	int order = larger_first(x->count, y->count);

	order = order ?: smaller_first(x->abi, y->abi);
	order = order ?: smaller_first(x->number, y->number);
	order = order ?: smaller_first(x->error, y->error);
	return order ?: compare_by_process(&x->record, &y->record);
}

/* The process of a row, where rows are kept per process; its name may be unknown. */
#define EMIT_OWNER(s, row, of)                                                                     \
	emit_owner(s, of, &(row)->record, &(row)->process_state, &(row)->name_state)

static struct span emit_owner(const struct table_state *s, const struct sooth_record *of,
	struct sooth_record *record, uint8_t *state, uint8_t *name_state)
{
	struct process_id id = process_id_of(of);
	const struct life *life;

	*state = *name_state = SOOTH_STATE_ABSENT;
	if (!s->options.by_process)
		return span_of("", 0);
	*state = SOOTH_STATE_VALUE;
	*record = row_head(&id);
	life = map_get(&s->lives.all, &id);
	*name_state =
		life && *life->name ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN);
	return life ? span_of(life->name, strnlen(life->name, sizeof(life->name))) : span_of("", 0);
}

static bool is_waiting_call(const struct syscalls_count *c)
{
	return syscall_waits(syscall_row_of(c->abi, c->number));
}

static int emit_call(struct table_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	const struct syscalls_count *c = (const void *)r;
	const struct syscall_row *known = syscall_by_number(c->abi, c->number);
	uint64_t timed = call_timed(c);
	struct call_row row = { .count = c->count,
		.errors = c->errors,
		.unfinished = c->unfinished,
		.untimed = c->untimed,
		.total_ns = c->total_ns,
		.max_ns = c->max_ns,
		.category = known ? known->category : SYSCALL_CATEGORY_OTHER };
	char name[SYSCALL_NAME_SIZE];
	struct span whose = EMIT_OWNER(s, &row, &c->record);
	struct record_tail tail[] = { tail_span(&row.process, whose),
		{ &row.name, name, syscall_name(c->abi, c->number, name) } };

	row.times_state = call_times_state(c);
	row.mean_ns = timed ? c->total_ns / timed : 0;
	row.p50_ns = call_percentile(c->histogram, c->max_ns, 50);
	row.p99_ns = call_percentile(c->histogram, c->max_ns, 99);
	row.waits = is_waiting_call(c);
	row.share_state = row.waits || !s->working_ns ? SOOTH_STATE_ABSENT : row.times_state;
	if (s->working_ns)
		row.share_percent = 100.0 * (double)c->total_ns / (double)s->working_ns;
	memcpy(row.histogram, c->histogram, sizeof(row.histogram));
	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_error(struct table_state *s, const struct sooth_record *r, struct sooth_error *err)
{
	const struct syscalls_error *e = (const void *)r;
	struct error_row row = { .count = e->count, .error = e->error };
	char name[SYSCALL_NAME_SIZE];
	struct span whose = EMIT_OWNER(s, &row, &e->record);
	struct record_tail tail[] = { tail_span(&row.process, whose),
		{ &row.name, name, syscall_name(e->abi, e->number, name) } };

	return OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
}

typedef int (*row_emitter)(
	struct table_state *s, const struct sooth_record *r, struct sooth_error *err);

static int emit_sorted(struct table_state *s, const struct section *section,
	const struct reducer *reducer, int (*compare)(const void *, const void *),
	row_emitter emit_row, struct sooth_error *err)
{
	size_t count;
	_cleanup_free_ const struct sooth_record **rows = reducer_rows(reducer, &count);
	int status = output_section(s->output, section, err);

	if (!rows)
		return error_no_memory(err);
	qsort(rows, count, sizeof(*rows), compare);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_row(s, rows[i], err);
	return status;
}

/* Sections for all processes together, and for each process by itself. */
static const struct section call_sections[] = {
	{ .name = "syscalls",
		.schema = &call_schema,
		.shape = SECTION_TABLE,
		.if_empty = "no system calls were made" },
	{ .name = "syscalls",
		.schema = &call_process_schema,
		.shape = SECTION_TABLE,
		.rows_most = PEOPLE_ROWS,
		.if_empty = "no system calls were made" },
};

static const struct section error_sections[] = {
	{ .name = "errors", .schema = &error_schema, .shape = SECTION_TABLE },
	{ .name = "errors",
		.schema = &error_process_schema,
		.shape = SECTION_TABLE,
		.rows_most = PEOPLE_ROWS },
};

static void add_working(struct table_state *s, const struct syscall_sums *sums)
{
	size_t count;
	_cleanup_free_ const struct sooth_record **rows = reducer_rows(&sums->counts, &count);

	s->working_ns = 0;
	for (size_t i = 0; rows && i < count; i++) {
		const struct syscalls_count *c = (const void *)rows[i];

		s->working_ns += is_waiting_call(c) ? 0 : c->total_ns;
	}
}

static uint64_t count_unseen(const struct syscall_sums *sums)
{
	const struct sooth_record *r;
	size_t position = 0;
	uint64_t calls = 0;

	while ((r = reducer_next(&sums->counts, &position)))
		calls += calls_without_record((const void *)r);
	return calls;
}

static int emit_tables(
	struct table_state *s, const struct syscall_sums *sums, struct sooth_error *err)
{
	const struct section *calls = &call_sections[s->options.by_process];
	const struct section *errors = &error_sections[s->options.by_process];
	int status;

	if (syscall_sums_refused(sums))
		output_limit(s->output, "some calls or errors",
			"a table in sooth is full: further entries are not recorded", "");
	add_working(s, sums);
	status = emit_sorted(s, calls, &sums->counts, compare_by_total, emit_call, err);
	return status ?: emit_sorted(s, errors, &sums->errors, compare_by_count, emit_error, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct table_state *s = state;
	int status;

	if (!s->options.is_repeated || s->is_over) {
		const struct syscall_sums *sums = s->options.is_repeated ? &s->all : &s->sums;

		status = emit_tables(s, sums, err);
		call_note_unseen(s->output, count_unseen(sums));
		return status ?: call_notes_emit_table(&s->notes, s->output, err);
	}
	status = emit_tables(s, &s->sums, err);
	syscall_sums_fini(&s->sums);
	return status ?: syscall_sums_init(&s->sums, key_of(s), err);
}

static void fini(void *state)
{
	struct table_state *s = state;

	syscall_sums_fini(&s->sums);
	syscall_sums_fini(&s->all);
	operation_lives_fini(&s->lives);
	call_notes_fini(&s->notes);
}

static const struct sooth_schema *const tables[] = { &call_schema, &call_process_schema,
	&error_schema, &error_process_schema, &call_notes_uring_schema, NULL };

const struct stage_type stage_syscall_table = {
	.name = "syscall-table",
	.help = "table of system calls: counts, errors, times",
	.probe = "syscalls",
	.shows = "syscalls",
	.tables = tables,
	STAGE_FUNCTIONS(struct table_state),
};

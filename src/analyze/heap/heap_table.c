/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations of a process tree: totals, by function, by size, by process. Sums come from
 * aggregates if there are any, which are right even if single calls were lost. Live bytes and their
 * peak come from single calls, and are exact only if none was lost. */
#include "analyze/heap/heap_table.h"

#include <stdio.h>
#include <string.h>

#include "analyze/heap/heap_by_stack.h"
#include "analyze/heap/heap_emit.h"
#include "analyze/heap/heap_ended.h"
#include "analyze/heap/heap_functions.h"
#include "analyze/heap/heap_live.h"
#include "analyze/heap/heap_notes.h"
#include "analyze/heap/heap_overhead.h"
#include "analyze/heap/heap_stacks.h"
#include "analyze/records.h"
#include "base/estimate.h"
#include "base/map.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/probe.h"
#include "model/process_id.h"
#include "model/schema.h"

/* Records ahead of the one that is added. */
#define FETCHED_NEAR 8
#define FETCHED_FAR  16

#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)

struct table_state {
	struct heap_scope scope;
	struct heap_table_options options;
	struct heap_live live;
	struct heap_sums seen;	  /* sums of single calls */
	struct heap_sums counted; /* sums of aggregates */
	struct heap_notes notes;
	struct heap_resident resident;
	struct heap_elsewhere elsewhere;
	struct heap_overheads overheads;
	struct heap_ended ended;
	struct profile_sums stacks; /* dictionaries of stacks */
	uint64_t begin_ns, end_ns, last_ns;
	uint64_t lost;	       /* lost calls, as the source reports them */
	uint64_t lost_changes; /* lost starts, execs and exits of processes */
	bool has_source;
	bool by_calls;	       /* show sums of single calls, not of aggregates */
	bool says_samples;     /* a limit already says why there are samples */
	bool has_no_allocator; /* at least one process has no known allocator */
	bool has_unconnected;  /* at least one forked process was not connected */
	char not_loaded[128];  /* why a program was not observed; "": all were */
	char unexplained[96];  /* resident memory grew without any call; "": it did not */
	char inexact[512];
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct table_state *s = state;

	(void)err;
	s->scope.output = output;
	if (options)
		s->options = *(const struct heap_table_options *)options;
	heap_live_init(&s->live, HEAP_BLOCKS_MAX);
	s->live.with_parts = s->options.answer == HEAP_SIZES || s->options.by == HEAP_BY_CLASS;
	s->live.groups.by = s->options.by == HEAP_BY_THREAD ? HEAP_GROUPS_BY_THREAD
			    : s->options.by == HEAP_BY_SIZE ? HEAP_GROUPS_BY_SIZE
							    : HEAP_GROUPS_NONE;
	s->live.min_age_ns = s->options.min_age_ns;
	s->scope.rows_most = s->options.rows_most;
	heap_notes_init(&s->notes);
	heap_resident_init(&s->resident);
	heap_elsewhere_init(&s->elsewhere);
	s->scope.elsewhere = &s->elsewhere;
	heap_by_stack_init(&s->stacks);
	return 0;
}

static bool is_field_about_heap(const struct sooth_record *r, const char *field)
{
	const struct sooth_schema *schema = registry_schema(r->kind);
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, field), r);

	return v.state == SOOTH_STATE_VALUE && v.text.size == 4 && !memcmp(v.text.data, "heap", 4);
}

static void add_loss(struct table_state *s, const struct stream_loss *loss)
{
	if (is_field_about_heap(&loss->record, "source"))
		s->lost += loss->records;
	else if (span_equal(record_text(&loss->record, &loss->source), "process"))
		s->lost_changes += loss->records;
}

static void add_limit(struct table_state *s, const struct sooth_record *r)
{
	const struct stream_limit *limit = record_as(r, STREAM_LIMIT, sizeof(*limit));
	struct span what = limit ? record_text(r, &limit->what) : span_of("", 0);

	s->has_no_allocator |= span_equal(what, HEAP_NO_ALLOCATOR);
	s->has_unconnected |= span_equal(what, HEAP_UNCONNECTED);
	s->says_samples |= span_equal(what, HEAP_EVERY_CALL);
	if (span_equal(what, HEAP_NOT_RECORDED))
		snprintf(s->not_loaded, sizeof(s->not_loaded), "%.*s",
			SPAN_ARGS(record_text(r, &limit->reason)));
	if (span_equal(what, HEAP_NOT_LOADED)) {
		struct span remedy = record_text(r, &limit->remedy);

		snprintf(s->not_loaded, sizeof(s->not_loaded),
			"a program's allocator is not visible without privilege: %.*s",
			SPAN_ARGS(remedy));
	}
}

static void add_record(struct table_state *s, const struct sooth_record *r)
{
	const struct batch one = { (const unsigned char *)r, record_bytes(r) };

	if (r->time_ns > s->last_ns)
		s->last_ns = r->time_ns;
	heap_live_add_record(&s->live, r);
	heap_resident_add_record(&s->resident, r);
	heap_ended_add_record(&s->ended, r);
	switch (r->kind) {
	case HEAP_CALL:
		if (record_holds(r, HEAP_CALL_LEAST))
			heap_sums_add_call(&s->seen, (const void *)r);
		break;
	case HEAP_COUNT:
		if (record_holds(r, sizeof(struct heap_count)))
			heap_sums_add_count(&s->counted, (const void *)r);
		break;
	case HEAP_SUM:
		if (record_holds(r, HEAP_SUM_LEAST))
			heap_held_add_sum(&s->live, (const void *)r);
		break;
	case HEAP_HELD:
		if (record_holds(r, HEAP_HELD_LEAST))
			heap_held_add(&s->live, (const void *)r);
		break;
	case HEAP_STACK:
	case HEAP_FRAME:
		profile_sums_add_batch(&s->stacks, &one);
		break;
	case STREAM_BEGIN:
		s->begin_ns = r->time_ns;
		break;
	case STREAM_END:
		s->end_ns = r->time_ns;
		break;
	case STREAM_SOURCE:
		s->has_source |= is_field_about_heap(r, "probe");
		break;
	case STREAM_LIMIT:
		add_limit(s, r);
		break;
	case STREAM_LOSS:
		if (record_holds(r, sizeof(struct stream_loss)))
			add_loss(s, (const struct stream_loss *)r);
		break;
	case HEAP_OVERHEAD:
		heap_overhead_add_record(&s->overheads, r);
		break;
	default:
		heap_notes_add_record(&s->notes, r);
		break;
	}
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	const struct sooth_record *near = batch_first(batch), *far;
	struct table_state *s = state;

	for (unsigned i = 0; near && i < FETCHED_NEAR; i++)
		near = batch_next(batch, near);
	far = near;
	for (unsigned i = FETCHED_NEAR; far && i < FETCHED_FAR; i++)
		far = batch_next(batch, far);
	batch_for_each (r, batch) {
		heap_live_fetch(&s->live, near, far);
		near = near ? batch_next(batch, near) : NULL;
		far = far ? batch_next(batch, far) : NULL;
		add_record(s, r);
		if (heap_elsewhere_add_record(&s->elsewhere, r))
			return error_no_memory(err);
	}
	return 0;
}

/* --- completeness --- */

static const struct heap_sums *sums_of(const struct table_state *s)
{
	return s->by_calls ? &s->seen : &s->counted;
}

/* Chooses between single calls and aggregates; a truncated capture may lack late aggregates. */
static void choose_source(struct table_state *s)
{
	s->has_source |= s->seen.has_any || s->counted.has_any;
	s->by_calls = s->seen.all.count > s->counted.all.count || !s->counted.has_any;
}

/* Notes memory that no call explains: from functions without a probe, or from mmap(). */
static void compare_resident(struct table_state *s)
{
	const struct heap_resident *r = &s->resident;
	const struct heap_resident_growth *g = &s->scope.resident;
	char text[UNITS_SIZE];

	s->scope.resident = heap_resident_growth(r);
	if (!s->has_source || s->seen.all.count || s->counted.all.count)
		return;
	if (r->started_bytes >= HEAP_RESIDENT_STARTED)
		snprintf(s->unexplained, sizeof(s->unexplained),
			"%s became resident, and no allocator call was seen",
			format_bytes(text, r->started_bytes));
	else if (heap_resident_is_elsewhere(g, 0))
		snprintf(s->unexplained, sizeof(s->unexplained),
			"resident memory grew by %s, and no allocator call was seen",
			format_bytes(text, g->grown_bytes));
}

static bool has_calls(const struct table_state *s)
{
	return s->seen.has_any || s->live.has_held || !s->counted.all.count;
}

/* Returns whether nothing was observed: no calls are no measurement then. */
static bool is_blind(const struct table_state *s)
{
	return (s->has_no_allocator || s->not_loaded[0] || s->unexplained[0]) &&
	       !s->seen.all.count && !s->counted.all.count;
}

static uint8_t state_of_live_values(const struct table_state *s)
{
	if (is_blind(s))
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	return s->has_source && has_calls(s) ? SOOTH_STATE_VALUE : NOT_REQUESTED;
}

/* Returns the state of the number of unfinished calls: only the kernel's aggregates have this
 * number, and only if they are complete. */
static uint8_t unfinished_state(const struct table_state *s)
{
	if (!s->by_calls)
		return s->has_source ? SOOTH_STATE_VALUE : NOT_REQUESTED;
	return s->counted.has_any ? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) : NOT_REQUESTED;
}

/* Returns the calls missing in the stream, except those that the kernel only aggregates. */
static uint64_t lost_calls(const struct table_state *s)
{
	uint64_t missing =
		s->counted.all.count > s->seen.all.count && s->seen.has_any && !s->live.has_held
			? s->counted.all.count - s->seen.all.count
			: 0;

	return missing > s->lost ? missing : s->lost;
}

static void add_reason(struct table_state *s, const char *format, const char *value)
{
	size_t used = strlen(s->inexact);

	if (used && used + 2 < sizeof(s->inexact)) {
		memcpy(s->inexact + used, "; ", 3);
		used += 2;
	}
	snprintf(s->inexact + used, sizeof(s->inexact) - used, format, value);
}

static void add_count(struct table_state *s, uint64_t count, const char *one, const char *many)
{
	char text[UNITS_SIZE];

	if (count)
		add_reason(s, count == 1 ? one : many, format_count(text, count));
}

static void add_loss_reasons(struct table_state *s)
{
	char text[UNITS_SIZE];

	if (!has_calls(s))
		return;
	add_count(s, lost_calls(s), "%s call was lost", "%s calls were lost");
	add_count(s, s->lost_changes, "%s process start, exec or exit was lost",
		"%s process starts, execs or exits were lost");
	if (s->notes.gaps.count)
		add_reason(s, "calls of newly loaded libraries were missed for up to %s",
			format_ns(text, s->notes.unseen_ns_max));
	if (s->has_no_allocator)
		add_reason(s, "%s", "a program without allocator symbols was not observed");
	if (s->not_loaded[0])
		add_reason(s, "%s", s->not_loaded);
	if (s->unexplained[0])
		add_reason(s, "%s", s->unexplained);
	if (s->has_unconnected)
		add_reason(s, "%s", "some processes were not observed, or not to their end");
	add_count(s, s->live.frees_unknown, "%s free of a block whose allocation was not seen",
		"%s frees of blocks whose allocation was not seen");
	if (s->live.has_held) /* the kernel's aggregates have no addresses of freed blocks */
		add_count(s, s->live.frees_from_before,
			"%s free of a block from before attach, or of a call that was not seen",
			"%s frees of blocks from before attach, or of calls that were not seen");
	add_count(s, s->live.replaced_blocks, "%s block whose free was not seen",
		"%s blocks whose free was not seen");
	if (s->live.has_held && s->live.processes.count > 1)
		add_reason(
			s, "%s", "the peak of several processes is that of the moments of looking");
	if (s->says_samples)
		add_reason(s, "%s", "estimated from samples");
	else if (s->live.estimates.sample_bytes)
		add_reason(s, "estimated from samples, one per %s allocated",
			format_bytes(text, s->live.estimates.sample_bytes));
	if (sums_of(s)->all.is_partial)
		add_reason(s, "%s", "small calls that are no samples count as successful");
	if (s->notes.unfollowed_ns_max)
		add_reason(s, "frees of new processes were not seen for up to %s",
			format_ns(text, s->notes.unfollowed_ns_max));
	add_count(s, s->live.refused + s->live.untracked,
		"%s allocated block did not fit sooth's table",
		"%s allocated blocks did not fit sooth's table");
}

static void emit_gap_notes(struct table_state *s)
{
	char reason[96], text[UNITS_SIZE];

	snprintf(reason, sizeof(reason), "sooth needed up to %s to probe a newly mapped file",
		format_ns(text, s->notes.unseen_ns_max));
	output_limit(s->scope.output, "the first allocator calls of a library that was just loaded",
		reason, "");
}

/* Returns the remedy for lost calls, by the buffer that was too small. */
static const char *loss_remedy(const struct table_state *s)
{
	if (!s->live.is_launched)
		return "use a larger buffer (--buffer 128M), or launch the command with sooth: "
		       "`sooth heap -- COMMAND` pauses it while the buffer is full";
	if (!s->ended.has_library)
		return "use a larger buffer: --buffer 128M";
	return s->ended.has_probes ? "observe it in the kernel: --engine bpf --buffer 128M"
				   : "run the program again on a host with less load";
}

static void emit_limit_notes(struct table_state *s)
{
	static const char *const what = "freed, live and peak bytes, exactly";
	char reason[96], text[UNITS_SIZE];

	if (!has_calls(s)) {
		output_limit(s->scope.output, "freed, live and peak bytes",
			"the kernel only counted the calls: single calls were not recorded",
			"`sooth heap --live PID` has them");
		return;
	}
	if (lost_calls(s)) {
		snprintf(reason, sizeof(reason), "%s calls were lost",
			format_count(text, lost_calls(s)));
		output_limit(s->scope.output, what, reason, s->scope.loss_remedy);
	}
	if (s->unexplained[0])
		output_limit(s->scope.output, "the calls of the allocator", s->unexplained,
			"sooth heap --pages shows which code touches the memory");
	if (s->live.untracked)
		output_limit(s->scope.output, what,
			"more blocks were live than the kernel's table has room for",
			"--blocks 8000000 makes the table larger");
	if (s->live.refused)
		output_limit(s->scope.output, what,
			"the processes have more allocated blocks than sooth can keep",
			"select fewer processes with -p");
	if (s->notes.gaps.count)
		emit_gap_notes(s);
	if (s->live.frees_from_before)
		output_limit(s->scope.output, "blocks allocated before attach",
			"the live and peak bytes do not include memory allocated before sooth "
			"attached",
			"to see every allocation, launch the program with sooth: `sooth heap -- "
			"COMMAND`");
}

/* --- rows --- */

static int emit_totals(struct table_state *s, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("heap_totals", heap_totals_schema, OBJECT);
	const struct heap_function_sum *all = &sums_of(s)->all;
	const struct heap_live *l = &s->live;
	uint64_t end_ns = s->end_ns ? s->end_ns : s->last_ns;
	uint64_t interval_ns = s->begin_ns && end_ns > s->begin_ns ? end_ns - s->begin_ns : 0;
	struct heap_totals_row row = { .events = all->count,
		.failed = all->failed,
		.overflows = all->overflows,
		.unfinished = all->unfinished,
		.allocated_bytes = all->bytes,
		.freed_bytes = l->freed_bytes,
		.peak_bytes = l->peak_bytes,
		.peak_after_ns = l->peak_ns > s->begin_ns ? l->peak_ns - s->begin_ns : 0,
		.frees_unknown = l->frees_unknown,
		.frees_inherited = l->frees_inherited,
		.frees_from_before = l->frees_from_before,
		.replaced_blocks = l->replaced_blocks,
		.exec_blocks = l->exec_blocks,
		.exec_bytes = l->exec_bytes,
		.lost = lost_calls(s),
		.processes = heap_emit_count(l),
		.rate_per_s = interval_ns ? (double)all->count * NS_PER_S / (double)interval_ns : 0,
		.measured_state = is_blind(s)	  ? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
				  : s->has_source ? SOOTH_STATE_VALUE
						  : NOT_REQUESTED,
		.unfinished_state =
			is_blind(s) ? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) : SOOTH_STATE_VALUE,
		.live_state = state_of_live_values(s),
		.inexact_state = state_if(s->inexact[0]),
		.rate_state = state_if(s->has_source && interval_ns && !is_blind(s)) };
	struct record_tail tail[] = { tail_string(&row.inexact, s->inexact) };
	int status = heap_section(&s->scope, &section, err);

	row.failed_state = heap_failed_state(all, row.measured_state);
	heap_live_total(l, &row.live_bytes, &row.live_blocks);
	row.live_error_bytes = estimate_error(l->live_variance);
	row.error_state = l->estimates.sample_bytes ? state_of_live_values(s) : SOOTH_STATE_ABSENT;
	row.ended_bytes = row.live_bytes - heap_live_at_end(l);
	row.ended_state = row.ended_bytes ? state_of_live_values(s) : SOOTH_STATE_ABSENT;
	if (s->options.reported) {
		*s->options.reported = row;
		snprintf(s->options.inexact, s->options.inexact_bytes, "%s", s->inexact);
	}
	return status ?: OUTPUT_ROW(s->scope.output, &row, tail, 1, err);
}

static void emit_age_note(struct table_state *s)
{
	char text[UNITS_SIZE];

	if (s->options.min_age_ns && !s->live.has_held)
		snprintf(s->scope.age, sizeof(s->scope.age), "blocks of at least %s",
			format_ns(text, s->options.min_age_ns));
	if (s->options.min_age_ns && s->live.has_held)
		output_limit(s->scope.output, "the age of blocks",
			"the kernel aggregated the calls: single calls were not recorded",
			"record every call: --exact");
}

static int emit_types(struct table_state *s, struct sooth_error *err)
{
	const char *blind = !is_blind(s)       ? NULL
			    : s->not_loaded[0] ? s->not_loaded
			    : s->unexplained[0]
				    ? s->unexplained
				    : "no allocator function was found: no call could be seen";

	return heap_emit_types(&s->scope, sums_of(s),
		&(struct heap_type_states){ unfinished_state(s),
			s->live.estimates.sample_bytes ? NOT_REQUESTED : SOOTH_STATE_VALUE },
		blind, err);
}

static int emit_by_code(struct table_state *s, struct sooth_error *err)
{
	return heap_by_stack_emit(&s->scope, &s->live, &s->stacks, &s->options, err);
}

/* Emits all tables; those with counts of calls follow an answer as details. */
static int emit_counts(struct table_state *s, struct sooth_error *err)
{
	int status;

	s->scope.is_behind = s->options.answer == HEAP_KEPT;
	status = emit_totals(s, err);
	if (!status && !s->options.answer)
		status = emit_by_code(s, err);
	if (!status && !is_blind(s))
		status = emit_types(s, err);
	if (!status)
		status = heap_emit_sizes(&s->scope, sums_of(s), err);
	if (!status)
		status = heap_emit_processes(
			&s->scope, &s->live, s->by_calls, state_of_live_values(s), err);
	return status ?: heap_notes_emit(&s->notes, &s->scope, s->options.sites, err);
}

/* Returns whether there is an answer. Calls without stacks keep nothing in any code: then the
 * tables are the answer. */
static bool says_what_is_kept(const struct table_state *s)
{
	if (s->live.stacks.count)
		return true;
	if (s->live.is_launched || !s->has_source)
		return false;
	return heap_resident_is_elsewhere(&s->scope.resident, 0) ||
	       (s->scope.resident.pid && !s->seen.has_any && !is_blind(s));
}

static int emit_tables(struct table_state *s, struct sooth_error *err)
{
	bool has_unfreed = false;
	int status;

	choose_source(s);
	compare_resident(s);
	s->scope.without_stacks = is_blind(s)	    ? "allocator calls could not be observed"
				  : s->seen.has_any ? "calls were recorded without stacks (--stack)"
				  : s->counted.has_any ? "allocator calls were only counted"
						       : NULL;
	if (s->options.answer == HEAP_KEPT && !says_what_is_kept(s)) {
		s->options.answer = HEAP_NO_ANSWER;
		has_unfreed = s->live.is_launched && state_of_live_values(s) == SOOTH_STATE_VALUE;
	}
	if (s->options.is_explained)
		*s->options.is_explained =
			s->options.answer == HEAP_KEPT && s->live.stacks.count &&
			!heap_resident_is_elsewhere(&s->scope.resident, s->live.bytes);
	s->scope.is_of_kept = s->options.answer == HEAP_KEPT;
	s->scope.loss_remedy = loss_remedy(s);
	add_loss_reasons(s);
	heap_live_forget_young(&s->live);
	emit_age_note(s);
	if (s->options.answer && !s->says_samples) /* the totals report samples too */
		heap_notes_samples(s->scope.output, &s->live);
	emit_limit_notes(s);
	status = heap_ended_emit(&s->ended, s->scope.output, err);
	if ((has_unfreed || s->options.every_section) && !status)
		status = heap_unfreed_emit(&s->scope, &s->live, err);
	/* Without observed calls the table of types comes first: it has the reason. */
	if (!s->options.answer && is_blind(s) && !status)
		status = emit_types(s, err);
	if (!status && s->options.answer)
		status = emit_by_code(s, err);
	if (status || (s->options.answer && s->options.answer != HEAP_KEPT))
		return status;
	return emit_counts(s, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct table_state *s = state;
	const struct heap_observed how = { s->live.estimates.sample_bytes != 0,
		s->live.is_launched };
	int status = emit_tables(s, err);

	return status ?: heap_overhead_emit(&s->overheads, s->scope.output, &how, err);
}

static void fini(void *state)
{
	struct table_state *s = state;

	heap_live_fini(&s->live);
	heap_notes_fini(&s->notes);
	heap_resident_fini(&s->resident);
	heap_elsewhere_fini(&s->elsewhere);
	heap_overhead_fini(&s->overheads);
	heap_ended_fini(&s->ended);
	profile_sums_fini(&s->stacks);
}

static const struct sooth_schema *const tables[] = { &heap_type_schema, &heap_size_schema,
	&heap_process_schema, &heap_gap_schema, &heap_site_schema, &heap_stack_row_schema,
	&heap_class_row_schema, &heap_function_row_schema, &heap_library_row_schema,
	&heap_thread_row_schema, &heap_exact_size_row_schema, &heap_overhead_row_schema,
	&heap_ended_row_schema, NULL };

const struct stage_type stage_heap_table = {
	.name = "heap-table",
	.help = "memory allocations: totals, by function, size and process; live bytes",
	.probe = "heap",
	.shows = "heap",
	.tables = tables,
	STAGE_FUNCTIONS(struct table_state),
};

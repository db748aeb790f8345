/* SPDX-License-Identifier: BSD-2-Clause */
/* The stacks of all threads at one moment: processes, groups of threads, frames. */
#include "analyze/stacks/stacks.h"

#include <inttypes.h>

#include "analyze/snapshots.h"
#include "analyze/stacks/stack_rows.h"
#include "analyze/waits/wait_tasks.h"
#include "base/cleanup.h"
#include "explain/stage.h"

struct stacks_state {
	struct output *output;
	struct stacks_options options;
	struct snapshots last, waits; /* `waits`: only waits of tasks and goroutines */
	struct profile_sums sums;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct stacks_state *s = state;

	(void)err;
	s->output = output;
	if (options)
		s->options = *(const struct stacks_options *)options;
	snapshots_init(&s->last, STACKS_SNAPSHOT);
	snapshots_init(&s->waits, WAITS_SNAPSHOT);
	profile_sums_init(&s->sums);
	s->sums.naming = s->options.naming;
	s->sums.stack_kind = STACKS_STACK;
	s->sums.frame_kind = STACKS_FRAME;
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct stacks_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->sums, batch);
	batch_for_each (r, batch) {
		if (r->kind == STACKS_THREAD || r->kind == STACKS_SNAPSHOT)
			snapshots_add_record(&s->last, r);
		if (r->kind == WAITS_TASKS || r->kind == WAITS_GOROUTINES ||
			r->kind == WAITS_SNAPSHOT)
			snapshots_add_record(&s->waits, r);
	}
	return 0;
}

/* --- rows --- */

static struct span process_name(const struct batch *records)
{
	batch_for_each (r, records) {
		const struct stacks_thread *t = record_as(r, STACKS_THREAD, sizeof(*t));

		if (t)
			return span_of(t->process, strnlen(t->process, sizeof(t->process)));
	}
	return span_of("", 0);
}

static const char *why_stack_unread(uint8_t state)
{
	switch (state) {
	case SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION):
		return "not measured: it belongs to another user, or may not be traced; run "
		       "sooth as root";
	case SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED):
		return "it ended before it was read";
	case SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED):
		return "not measured: reading its mappings did not return";
	default:
		return "not measured: reading it failed";
	}
}

static void put_process(
	struct buffer *out, struct span name, uint32_t pid, uint32_t threads, uint8_t state)
{
	if (name.size)
		buffer_format(out, "%.*s (%u): ", SPAN_ARGS(name), pid);
	else
		buffer_format(out, "process %u: ", pid);
	if (state == SOOTH_STATE_VALUE || state == SOOTH_STATE_TRUNCATED)
		buffer_format(out, "%u %s", threads, threads == 1 ? "thread" : "threads");
	else
		buffer_string(out, why_stack_unread(state));
	if (state == SOOTH_STATE_TRUNCATED)
		buffer_string(out, ", and more that were not read");
}

/* Appends tasks and goroutines: threads wait in the event loop or the scheduler, and these for what
 * the program needs. */
static void put_below_threads(const struct stacks_state *s, const struct process_id *id,
	bool is_short, struct buffer *text, struct buffer *goroutines)
{
	struct wait_graph g = wait_graph_of(snapshots_get(&s->waits, id), NULL);
	uint64_t count;

	if (s->options.first_only || s->options.tid) /* the view of waits has them, or none asked */
		return;
	count = stack_goroutine_rows(goroutines, &g, (uint32_t)id->pid, is_short);
	if (count)
		buffer_format(text, ", %" PRIu64 " goroutine%s", count, count == 1 ? "" : "s");
	wait_put_tasks(text, &g, (uint32_t)id->pid);
}

static int emit_process(struct stacks_state *s, const struct snapshot *snapshot, bool is_short,
	struct sooth_error *err)
{
	const struct stacks_snapshot *end = snapshot_end(snapshot, sizeof(*end));
	struct batch records = snapshot_records(snapshot);
	struct span name = process_name(&records);
	struct buffer stacks = { 0 }, goroutines = { 0 }, text = { 0 };
	int status;

	stack_rows(&stacks, &s->sums, &records, &s->options, is_short);
	struct stack_process_row row = { .record = row_head(&snapshot->id),
		.threads = end ? end->threads : 0,
		.threads_state =
			end ? end->threads_state : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) };
	put_process(&text, name, (uint32_t)snapshot->id.pid, row.threads, row.threads_state);
	put_below_threads(s, &snapshot->id, is_short, &text, &goroutines);
	row.goroutines_state = state_if(goroutines.size > 0);
	if (s->options.tid && !stacks.size && !row.threads_state)
		buffer_format(&text, "; none of them is %u", s->options.tid);
	struct record_tail tail[] = {
		tail_buffer(&row.goroutines, &goroutines),
		tail_buffer(&row.stacks, &stacks),
		tail_span(&row.process, name),
		tail_buffer(&row.text, &text),
	};
	status = OUTPUT_ROW(s->output, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&stacks);
	buffer_fini(&goroutines);
	buffer_fini(&text);
	return status;
}

static const struct section whole_section = SECTION_OF("stacks", stack_process_schema, TABLE,
	.if_empty = "no process was read: it had ended, or the capture has no stacks",
	.audience = SECTION_DETAIL);
static const struct section short_section = SECTION_OF("stacks", stack_process_schema, TABLE,
	.if_empty = "no process was read: it had ended, or the capture has no stacks",
	.audience = SECTION_BRIEF);

/* Used beside another view, which reports what could not be read. */
static const struct section first_section =
	SECTION_OF("stacks", stack_process_schema, TABLE, .audience = SECTION_DETAIL);

static int emit_section(
	struct stacks_state *s, const struct section *section, struct sooth_error *err)
{
	const struct snapshot *snapshot;
	size_t position = 0;
	int status = output_section(s->output, section, err);

	while (!status && (snapshot = snapshots_next(&s->last, &position)))
		status = emit_process(s, snapshot, section == &short_section, err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct stacks_state *s = state;
	int status;

	if (s->options.first_only)
		return emit_section(s, &first_section, err);
	status = emit_section(s, &short_section, err);
	return status ? status : emit_section(s, &whole_section, err);
}

static void fini(void *state)
{
	struct stacks_state *s = state;

	snapshots_fini(&s->last);
	snapshots_fini(&s->waits);
	profile_sums_fini(&s->sums);
}

static const struct sooth_schema *const tables[] = { &stack_process_schema, NULL };

const struct stage_type stage_stacks = {
	.name = "stacks",
	.help = "the stacks of all threads at one moment",
	.probe = "stacks",
	.shows = "stacks",
	.tables = tables,
	STAGE_FUNCTIONS(struct stacks_state),
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory by the code that first touched its pages, whatever allocator and language: how much
 * remains or, if all processes have ended, how much there was at the peak. The function is the
 * innermost outside of kernel and C library; for a script, the script's function that ran. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/profile/page_held.h"
#include "analyze/profile/profile_pages.h"
#include "analyze/profile/profile_sums.h"
#include "analyze/profile/profile_table.h"
#include "analyze/profile/wait_places.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/estimate.h"
#include "base/map_sorted.h"
#include "base/order.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "probes/proc.h"

#define PLACES_MAX    (1u << 18)
#define PROCESSES_MAX 65536
#define ROWS_SHOWN    25
#define NOISE_BYTES                                                                                \
	(1 << 20)      /* growth of resident memory that is no growth: pages of files come and go */
#define SCRIPT_LEAST 5 /* percent of the memory from which a script is named */
#define ONE_LOOK_NS  (NS_PER_S / 10) /* longest time to read /proc for one sample */

#define SUMMARY_ROW(F, S)                                                                          \
	F(S, U64, remaining_bytes, ALWAYS,                                                         \
		"memory that was touched during the observation and remains", .label = "REMAINS",  \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, remaining_error_bytes, MAYBE(error_state),                                       \
		"it is within remaining_bytes plus or minus this, in 99 of 100 cases; null: the "  \
		"stack of each page fault was recorded, or the kernel's count is outside of it",   \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, touched_bytes, ALWAYS, "memory that was touched for the first time",             \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, touched_error_bytes, WITH(error_state), "the same of touched_bytes",             \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, released_bytes, ALWAYS, "of it, what the programs gave back",                    \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, ended_bytes, ALWAYS, "of it, in processes that ended or became another program", \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, peak_bytes, ALWAYS, "the most that remained at a time",                          \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, peak_error_bytes, WITH(error_state), "the same of peak_bytes",                   \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, resident_before_bytes, MAYBE(resident_state),                                    \
		"resident memory of the processes at the first look, as the kernel counts it",     \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, resident_bytes, WITH(resident_state), "the same at the last look",               \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, faults, ALWAYS, "number of page faults", .merge = SOOTH_MERGE_SUM)               \
	F(S, U64, recorded, ALWAYS, "of these, with their stack: each stands for several",         \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, repeated, MAYBE(repeated_state),                                                 \
		"of these, in a page that was there: written after it was read, after a fork, or " \
		"back from swap",                                                                  \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, NAMED, REAL, whole_percent, whole_stacks_percent, MAYBE(whole_state),                 \
		"pages with a stack down to the entry of the thread", .label = "WHOLE STACKS",     \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, TEXT, text, ALWAYS, "the answer as a sentence", .is_hidden = true)

ROW_TABLE(summary, SUMMARY_ROW, "page_totals", page_totals_row,
	.line = "{text}; {touched_bytes} touched[ (+-{touched_error_bytes})], {released_bytes} "
		"given "
		"back[; resident: {resident_before_bytes}, then {resident_bytes}][; "
		"whole stacks: {whole_stacks_percent} %]");

#define PLACE_ROW(F, S)                                                                            \
	F(S, REAL, percent, MAYBE(percent_state),                                                  \
		"share of the memory that remains; where none does, of that at the peak",          \
		.label = "SHARE", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                       \
	F(S, U64, remaining_bytes, ALWAYS, "memory that it touched and that remains",              \
		.label = "REMAINS", .unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)            \
	F(S, U64, remaining_error_bytes, MAYBE(error_state),                                       \
		"it is within remaining_bytes plus or minus this, in 99 of 100 cases",             \
		.label = "+-", .unit = SOOTH_UNIT_BYTES, .is_hidden = true)                        \
	F(S, U64, at_peak_bytes, ALWAYS,                                                           \
		"memory that it touched and that was there when most was", .label = "AT PEAK",     \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true, .merge = SOOTH_MERGE_SUM)             \
	F(S, U64, at_peak_error_bytes, WITH(error_state), "the same of at_peak_bytes",             \
		.label = "+-", .unit = SOOTH_UNIT_BYTES, .is_hidden = true)                        \
	F(S, U64, touched_bytes, ALWAYS, "memory that it touched first", .label = "TOUCHED",       \
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_SUM)                                \
	F(S, U64, touched_error_bytes, WITH(error_state), "the same of touched_bytes",             \
		.label = "+-", .unit = SOOTH_UNIT_BYTES, .is_hidden = true)                        \
	WAIT_PLACE_FIELDS(F, S)

ROW_TABLE(place, PLACE_ROW, "pages_by_function", page_place_row);

const struct sooth_schema *const profile_pages_tables[] = { &summary_schema, &place_schema, NULL };

static const struct section summary_section = SECTION_OF("page_totals", summary_schema, OBJECT);
static const struct section place_section = SECTION_OF("pages_by_function", place_schema, TABLE,
	.title = "memory by the code that touched it", .if_empty = "no new page was touched",
	.rows_most = ROWS_SHOWN);

struct place_key {
	uint32_t function, file; /* numbers of names */
};

struct place {
	struct place_key key;
	uint64_t touched, touched_variance;
	struct pages_held remaining, at_peak;
	bool is_script; /* the place is in a script */
};

struct pages_state {
	struct profile_view view;
	struct page_held live;
	struct map places;   /* struct place_key -> struct place */
	struct map resident; /* struct process_id -> struct resident */
	uint64_t first_look_ns, last_look_ns;
	uint64_t whole;		/* number of pages */
	bool is_contradicted;	/* the kernel's count differs by more than the error */
	struct section section; /* the section with the places */
	struct place *sorted;
};

/* resident memory of a process, as the kernel counts it */
struct resident {
	uint64_t first_ns, last_ns;
	uint64_t first, last; /* range in bytes */
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct pages_state *s = state;

	(void)err;
	profile_view_init(&s->view, output, options);
	page_held_init(&s->live);
	map_init(&s->places, sizeof(struct place_key), sizeof(struct place), PLACES_MAX);
	map_init(&s->resident, sizeof(struct process_id), sizeof(struct resident), PROCESSES_MAX);
	return 0;
}

static void add_resident(struct pages_state *s, const struct proc_process *p)
{
	struct process_id id = process_id_of(&p->record);
	bool is_new;
	struct resident *r = map_put(&s->resident, &id, &is_new);

	if (!s->first_look_ns)
		s->first_look_ns = p->record.time_ns;
	s->last_look_ns = p->record.time_ns;
	if (!r)
		return;
	if (is_new) {
		r->first_ns = p->record.time_ns;
		r->first = p->rss_bytes;
	}
	r->last_ns = p->record.time_ns;
	r->last = p->rss_bytes;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct pages_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->view.sums, batch);
	batch_for_each (r, batch) {
		if (r->kind == PROC_PROCESS && record_holds(r, PROC_PROCESS_LEAST))
			add_resident(s, (const void *)r);
		page_held_add_record(&s->live, r);
	}
	return 0;
}

static void add_pages(struct pages_held *sum, struct pages_held more)
{
	sum->pages += more.pages;
	sum->variance += more.variance;
}

static void sum_stacks_by_place(struct pages_state *s)
{
	map_for_each (&s->live.stacks, const uint32_t *, stack, const struct page_sum *, sum) {
		struct wait_place found = wait_place_of(&s->view.sums, *stack);
		struct place_key key = { found.function, found.file };
		struct place *place = map_put(&s->places, &key, NULL);

		s->whole += found.is_whole ? sum->touched : 0;
		if (!place)
			continue;
		place->key = key;
		place->is_script = found.is_script;
		place->touched += sum->touched;
		place->touched_variance += sum->touched_variance;
		add_pages(&place->remaining, sum->remaining);
		add_pages(&place->at_peak, page_held_at_peak(&s->live, sum));
	}
}

/* Orders places by remaining pages, then by pages at the peak. */
static int compare_by_remaining(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	int order = larger_first(a->remaining.pages, b->remaining.pages);

	order = order ?: larger_first(a->at_peak.pages, b->at_peak.pages);
	order = order ?: larger_first(a->touched, b->touched);
	return order ?: memcmp(&a->key, &b->key, sizeof(a->key));
}

static uint64_t error_bytes(const struct page_held *l, uint64_t variance)
{
	return estimate_error((double)variance) * l->page_bytes;
}

static uint8_t state_of_error(const struct pages_state *s)
{
	return !page_held_is_estimate(&s->live) ? SOOTH_STATE_ABSENT
	       : s->is_contradicted		? SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)
						: SOOTH_STATE_VALUE;
}

/* Returns the reported pages: the remaining ones, or those at the peak if none remain. */
static const struct pages_held *answer_of(const struct page_held *l)
{
	return page_held_is_over(l) ? &l->peak : &l->remaining;
}

static double percent_of(const struct page_held *l, const struct place *p)
{
	const struct pages_held *all = answer_of(l);
	uint64_t pages = page_held_is_over(l) ? p->at_peak.pages : p->remaining.pages;

	return all->pages ? 100.0 * (double)pages / (double)all->pages : 0;
}

static int emit_place(struct pages_state *s, const struct place *p, struct sooth_error *err)
{
	uint64_t page = s->live.page_bytes;
	struct page_place_row row = { .percent = percent_of(&s->live, p),
		.percent_state = state_if(answer_of(&s->live)->pages),
		.remaining_bytes = p->remaining.pages * page,
		.remaining_error_bytes = error_bytes(&s->live, p->remaining.variance),
		.at_peak_bytes = p->at_peak.pages * page,
		.at_peak_error_bytes = error_bytes(&s->live, p->at_peak.variance),
		.touched_bytes = p->touched * page,
		.touched_error_bytes = error_bytes(&s->live, p->touched_variance),
		.error_state = state_of_error(s) };
	struct record_tail tail[] = { tail_span(&row.function,
					      names_get(&s->view.sums.names, p->key.function)),
		tail_span(&row.file, names_get(&s->view.sums.names, p->key.file)) };

	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static const char *const columns[2][2] = {
	{ "percent,remaining_bytes,touched_bytes,function,file",
		"percent,remaining_bytes,remaining_error_bytes,touched_bytes,touched_error_bytes,"
		"function,file" },
	{ "percent,at_peak_bytes,touched_bytes,function,file",
		"percent,at_peak_bytes,at_peak_error_bytes,touched_bytes,touched_error_bytes,"
		"function,file" },
};

static uint8_t audience_of(const struct pages_state *s)
{
	return s->view.options.is_explained && *s->view.options.is_explained ? SECTION_DETAIL
									     : SECTION_FOR_ALL;
}

static int emit_places(struct pages_state *s, struct sooth_error *err)
{
	bool is_over = page_held_is_over(&s->live);
	int status;

	s->section = place_section;
	s->section.audience = audience_of(s);
	s->section.columns = columns[is_over][page_held_is_estimate(&s->live)];
	status = output_section(s->view.output, &s->section, err);
	for (size_t i = 0; i < s->places.count && !status; i++)
		status = emit_place(s, &s->sorted[i], err);
	return status;
}

static void put_name(struct buffer *out, struct span name)
{
	buffer_append(out, name.data, name.size);
}

static void put_place(const struct pages_state *s, const struct place *p, struct buffer *out)
{
	struct span file = names_get(&s->view.sums.names, p->key.file);

	put_name(out, names_get(&s->view.sums.names, p->key.function));
	if (!file.size)
		return;
	buffer_string(out, " (");
	put_name(out, file);
	buffer_char(out, ')');
}

/* Returns the first place in a script, which its user can change, if a runtime touched most, as by
 * copying live objects. NULL: none, or the first place is in a script. */
static const struct place *script_below(const struct pages_state *s)
{
	const struct place *first = s->sorted;

	for (size_t i = 0; !first->is_script && i < s->places.count; i++) {
		if (s->sorted[i].is_script && percent_of(&s->live, &s->sorted[i]) >= SCRIPT_LEAST)
			return &s->sorted[i];
	}
	return NULL;
}

/* Returns whether the kernel's count contradicts the estimate: a page that faulted twice counts
 * twice, and a lost sample is missing. */
static bool is_contradicted(const struct page_held *l, const struct page_totals_row *row)
{
	double grown = (double)row->resident_bytes - (double)row->resident_before_bytes;
	double differs = (double)row->remaining_bytes - grown;

	return row->resident_state == SOOTH_STATE_VALUE && !page_held_is_over(l) &&
	       fabs(differs) > (double)error_bytes(l, l->remaining.variance) + NOISE_BYTES;
}

/* Writes the kernel's count first, because touched pages may replace others. */
static void put_growth(const struct page_totals_row *row, struct buffer *out)
{
	uint64_t before = row->resident_before_bytes, now = row->resident_bytes;
	char size[UNITS_SIZE];

	if (row->resident_state == SOOTH_STATE_VALUE)
		buffer_format(out, "%s %s resident by the kernel's count; ",
			format_bytes(size, now > before ? now - before : before - now),
			now >= before ? "more" : "less");
}

static void put_answer(struct pages_state *s, const struct page_totals_row *row, struct buffer *out)
{
	const struct pages_held *answer = answer_of(&s->live);
	uint64_t page = s->live.page_bytes;
	const struct place *first = s->sorted, *script;
	char size[UNITS_SIZE];

	if (!page_held_is_over(&s->live))
		put_growth(row, out);
	buffer_format(out,
		page_held_is_over(&s->live) ? "at most %s in memory at a time"
					    : "%s was touched and remains",
		format_bytes(size, answer->pages * page));
	if (row->error_state == SOOTH_STATE_VALUE)
		buffer_format(out, " (+-%s: 99 %%)",
			format_bytes(size, error_bytes(&s->live, answer->variance)));
	else if (page_held_is_estimate(&s->live))
		buffer_string(out, " (an estimate: its error is not measured, as the kernel's "
				   "count is outside of it)");
	if (!answer->pages || !s->places.count)
		return;
	buffer_format(out, ", %.0f %% of it touched by ", percent_of(&s->live, first));
	put_place(s, first, out);
	script = script_below(s);
	if (!script)
		return;
	buffer_format(out, ", %.0f %% by the script's ", percent_of(&s->live, script));
	put_place(s, script, out);
}

static void emit_refusal_note(const struct pages_state *s)
{
	char text[96];

	if (!s->live.refused)
		return;
	snprintf(text, sizeof(text), "no room to track %llu pages: more remains than shown",
		(unsigned long long)s->live.refused);
	output_limit(
		s->view.output, "pages", text, "observe a single process, or for a shorter time");
}

/* Sums the processes that exist at the end; one that began meanwhile had nothing. False: there was
 * at most one sample. */
static bool sum_resident(const struct pages_state *s, struct page_totals_row *row)
{
	map_for_each_value (&s->resident, const struct resident *, r) {
		if (s->last_look_ns - r->last_ns > ONE_LOOK_NS)
			continue;
		row->resident_bytes += r->last;
		if (r->first_ns - s->first_look_ns <= ONE_LOOK_NS)
			row->resident_before_bytes += r->first;
	}
	return s->last_look_ns > s->first_look_ns + ONE_LOOK_NS;
}

static int finish(void *state, struct sooth_error *err)
{
	struct pages_state *s = state;
	const struct page_held *l = &s->live;
	uint64_t first = l->touched - l->again;
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	struct section section = summary_section;
	struct page_totals_row row;
	struct record_tail tail[1];
	int status;

	sum_stacks_by_place(s);
	s->sorted = map_sorted(&s->places, compare_by_remaining);
	if (!s->sorted)
		return error_no_memory(err);
	emit_refusal_note(s);
	row = (struct page_totals_row){ .remaining_bytes = l->remaining.pages * l->page_bytes,
		.remaining_error_bytes = error_bytes(l, l->remaining.variance),
		.peak_error_bytes = error_bytes(l, l->peak.variance),
		.touched_error_bytes = error_bytes(l, l->touched_variance),
		.touched_bytes = first * l->page_bytes,
		.released_bytes = l->released * l->page_bytes,
		.ended_bytes = l->ended * l->page_bytes,
		.peak_bytes = l->peak.pages * l->page_bytes,
		.faults = l->touched,
		.recorded = l->recorded,
		.repeated = l->again,
		.repeated_state = page_held_is_estimate(l)
					  ? SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)
					  : SOOTH_STATE_VALUE,
		.whole_percent = first ? 100.0 * (double)s->whole / (double)first : 0,
		.whole_state = state_if(first) };
	row.resident_state = state_if(sum_resident(s, &row));
	s->is_contradicted = page_held_is_estimate(l) && is_contradicted(l, &row);
	row.error_state = state_of_error(s);
	put_answer(s, &row, &text);
	tail[0] = tail_buffer(&row.text, &text);
	section.audience = audience_of(s);
	status = buffer_failed(&text) ? error_no_memory(err)
				      : OUTPUT_OBJECT(s->view.output, &section, &row, tail, 1, err);
	if (!status) /* the output borrows the section */
		status = output_close_section(s->view.output, err);
	return status ?: emit_places(s, err);
}

static void fini(void *state)
{
	struct pages_state *s = state;

	profile_sums_fini(&s->view.sums);
	page_held_fini(&s->live);
	map_fini(&s->places);
	map_fini(&s->resident);
	free(s->sorted);
}

const struct stage_type stage_profile_pages = {
	.name = "profile-pages",
	.help = "memory by the code that touched its pages first, and what of it remains",
	.probe = "profile",
	.of_kind = PROFILE_PAGE,
	.shows = "profile",
	.tables = profile_pages_tables,
	STAGE_FUNCTIONS(struct pages_state),
};

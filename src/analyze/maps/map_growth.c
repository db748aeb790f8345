/* SPDX-License-Identifier: BSD-2-Clause */
/* Resident memory by purpose, and its growth from the first sample of each process to the last. A
 * process that started after the first sample counts from 0; a process that has ended is left out.
 * Growth needs two samples. */
#include "analyze/maps/map_growth.h"

#include <errno.h>
#include <stdlib.h>

#include "analyze/maps/map_classes.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"
#include "model/stream_records.h"
#include "probes/maps.h"
#include "probes/profile.h"

#define PROCESSES_MAX 4096
#define LOOK_NS	      NS_PER_S /* longest time to read all of /proc for one sample */

/* --- rows --- */

#define TOTALS_ROW(F, S)                                                                           \
	F(S, U64, before_bytes, MAYBE(before_state), "resident memory at the first look",          \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_bytes, ALWAYS, "resident memory at the last look", .label = "RSS",           \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, TEXT, text, ALWAYS,                                                                   \
		"the totals as a sentence, with the purpose of most of the memory",                \
		.is_hidden = true)

ROW_TABLE(totals, TOTALS_ROW, "memory_growth", growth_totals_row, .line = "{text}");

#define CLASS_ROW(F, S)                                                                            \
	F(S, NAMED, ENUM32, class_, class, ALWAYS,                                                 \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...",                      \
		.names = &map_class_names, .is_key = true)                                         \
	F(S, REAL, percent, ALWAYS, "share of the resident memory at the last look",               \
		.label = "SHARE", .unit = SOOTH_UNIT_PERCENT, .decimals = 1)                       \
	F(S, U64, rss_bytes, ALWAYS, "resident at the last look", .label = "RSS",                  \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, before_bytes, MAYBE(before_state), "resident at the first look",                 \
		.label = "BEFORE", .unit = SOOTH_UNIT_BYTES)                                       \
	F(S, U64, swap_bytes, ALWAYS, "swapped out at the last look", .label = "SWAP",             \
		.unit = SOOTH_UNIT_BYTES)

ROW_TABLE(class, CLASS_ROW, "memory_growth_by_class", class_growth_row);

static const struct sooth_schema *const tables[] = { &totals_schema, &class_schema, NULL };

static const struct section totals_section = SECTION_OF("memory_growth", totals_schema, OBJECT);
static const struct section class_section = SECTION_OF("memory_growth_by_class", class_schema,
	TABLE, .title = "resident memory by purpose", .rows_most = 6);

/* --- state --- */

struct first_look {
	uint64_t time_ns;
	uint64_t rss[MAP_CLASSES];
};

struct growth_state {
	struct output *output;
	bool is_shown, may_be_missing;
	struct snapshots last;
	struct map first; /* struct process_id -> struct first_look */
	uint64_t first_ns, last_ns;
};

/* growth of one class over all processes */
struct growth {
	enum map_class class_;
	uint64_t before, rss, swap;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct growth_state *s = state;

	const struct map_growth_options *o = options;

	(void)err;
	s->output = output;
	s->may_be_missing = o && o->beside_calls;
	s->is_shown = !s->may_be_missing;
	snapshots_init(&s->last, MAPS_PROCESS);
	map_init(&s->first, sizeof(struct process_id), sizeof(struct first_look), PROCESSES_MAX);
	return 0;
}

static bool has_values(const struct snapshot *one)
{
	const struct maps_process *end = snapshot_end(one, sizeof(*end));

	return end && end->mappings && end->mappings_state <= SOOTH_STATE_TRUNCATED &&
	       end->figures_state <= SOOTH_STATE_TRUNCATED;
}

static int store_first_snapshot(struct growth_state *s, const struct sooth_record *end)
{
	const struct process_id id = process_id_of(end);
	const struct snapshot *one = snapshots_get(&s->last, &id);
	struct map_total totals[MAP_CLASSES];
	struct first_look *first;
	bool is_new = false;

	if (!s->first_ns)
		s->first_ns = end->time_ns;
	s->last_ns = end->time_ns;
	first = one && has_values(one) ? map_put(&s->first, &id, &is_new) : NULL;
	if (!is_new || !first)
		return 0;
	first->time_ns = end->time_ns;
	if (map_totals(one, totals))
		return -ENOMEM;
	for (size_t i = 0; i < MAP_CLASSES; i++)
		first->rss[i] = totals[i].rss_bytes;
	return 0;
}

bool map_growth_is_of_runtime(const struct sooth_record *r)
{
	const struct maps_runtime_found *f = record_as(r, MAPS_RUNTIME, sizeof(*f));

	return f && (f->runtime == MAPS_JAVASCRIPTCORE || f->runtime == MAPS_V8 ||
			    f->runtime == MAPS_GO || f->runtime == MAPS_JAVA ||
			    f->runtime == MAPS_PYTHON);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct growth_state *s = state;

	batch_for_each (r, batch) {
		struct process_id id = process_id_of(r);

		s->is_shown |= r->kind == PROFILE_PAGE || r->kind == PROFILE_RELEASE ||
			       map_growth_is_of_runtime(r);
		snapshots_add_record(&s->last, r);
		if (r->kind == MAPS_PROCESS && store_first_snapshot(s, r))
			return error_no_memory(err);
		if (r->kind == PROCESS_LEAVE)
			snapshots_drop(&s->last, &id);
	}
	return 0;
}

/* --- the end --- */

static int compare_by_size(const void *left, const void *right)
{
	const struct growth *a = left, *b = right;

	if (a->rss != b->rss)
		return a->rss > b->rss ? -1 : 1;
	return (a->class_ > b->class_) - (a->class_ < b->class_);
}

static int add_process(
	const struct growth_state *s, const struct snapshot *one, struct growth all[MAP_CLASSES])
{
	const struct first_look *first = map_get(&s->first, &one->id);
	struct map_total totals[MAP_CLASSES];

	if (map_totals(one, totals))
		return -ENOMEM;
	for (size_t i = 0; i < MAP_CLASSES; i++) {
		all[i].rss += totals[i].rss_bytes;
		all[i].swap += totals[i].swap_bytes;
		if (first && first->time_ns - s->first_ns <= LOOK_NS)
			all[i].before += first->rss[i];
	}
	return 0;
}

/* Adds the growth of all classes. Returns how many processes exist at the end, or -ENOMEM. */
static int sum_growth(const struct growth_state *s, struct growth all[MAP_CLASSES])
{
	int count = 0;

	for (size_t i = 0; i < MAP_CLASSES; i++)
		all[i] = (struct growth){ .class_ = i };
	snapshots_for_each (&s->last, one) {
		const struct maps_process *end = snapshot_end(one, sizeof(*end));

		if (!has_values(one) || s->last_ns - end->record.time_ns > LOOK_NS)
			continue;
		if (add_process(s, one, all))
			return -ENOMEM;
		count++;
	}
	return count;
}

static int64_t gain_of(const struct growth *g)
{
	return (int64_t)(g->rss - g->before);
}

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}

/* Returns the class with at least half of the growth; NULL: none. */
static const struct growth *grown_most(const struct growth *all, int64_t gain)
{
	const struct growth *most = &all[0];

	for (size_t i = 1; i < MAP_CLASSES; i++) {
		if (gain_of(&all[i]) > gain_of(most))
			most = &all[i];
	}
	return gain > 0 && gain_of(most) * 2 >= gain ? most : NULL;
}

static void put_text(struct buffer *out, const struct growth *all, bool has_two,
	const struct growth_totals_row *row)
{
	int64_t gain = (int64_t)(row->rss_bytes - row->before_bytes);
	const struct growth *most = has_two ? grown_most(all, gain) : NULL;
	char size[UNITS_SIZE];

	buffer_format(out,
		"%.0f %% of the resident memory is %s: ", percent(all[0].rss, row->rss_bytes),
		map_class_texts[all[0].class_]);
	buffer_string(out, format_bytes(size, all[0].rss));
	buffer_format(out, " of %s", format_bytes(size, row->rss_bytes));
	if (!most)
		return;
	buffer_format(
		out, "; %s grew by ", most == &all[0] ? "that" : map_class_texts[most->class_]);
	buffer_string(out, format_bytes(size, (uint64_t)gain_of(most)));
	buffer_format(out, ", the whole by %s", format_bytes(size, (uint64_t)gain));
}

static int emit_classes(
	struct growth_state *s, const struct growth *all, bool has_two, struct sooth_error *err)
{
	uint64_t rss = 0;
	int status = output_section(s->output, &class_section, err);

	for (size_t i = 0; i < MAP_CLASSES; i++)
		rss += all[i].rss;
	for (size_t i = 0; i < MAP_CLASSES && !status; i++) {
		struct class_growth_row row = { .class_ = all[i].class_,
			.percent = percent(all[i].rss, rss),
			.rss_bytes = all[i].rss,
			.before_bytes = all[i].before,
			.before_state = state_if(has_two),
			.swap_bytes = all[i].swap };

		if (all[i].rss || all[i].before || all[i].swap)
			status = OUTPUT_ROW(s->output, &row, NULL, 0, err);
	}
	return status;
}

/* Emits why no memory map could be read. */
static int emit_none(struct growth_state *s, struct sooth_error *err)
{
	int status = output_section(s->output, &totals_section, err);

	return status ? status : output_section(s->output, &class_section, err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct growth_state *s = state;
	bool has_two = s->last_ns > s->first_ns + LOOK_NS / 10;
	struct growth_totals_row row = { .before_state = state_if(has_two) };
	struct growth all[MAP_CLASSES];
	struct buffer text = { 0 };
	struct record_tail tail[1];
	int status = s->is_shown ? sum_growth(s, all) : 0;

	if (status < 0)
		return error_no_memory(err);
	if (!status)
		return s->may_be_missing ? 0 : emit_none(s, err);
	for (size_t i = 0; i < MAP_CLASSES; i++) {
		row.rss_bytes += all[i].rss;
		row.before_bytes += all[i].before;
	}
	qsort(all, MAP_CLASSES, sizeof(all[0]), compare_by_size);
	put_text(&text, all, has_two, &row);
	tail[0] = tail_buffer(&row.text, &text);
	status = buffer_failed(&text)
			 ? error_no_memory(err)
			 : OUTPUT_OBJECT(s->output, &totals_section, &row, tail, 1, err);
	buffer_fini(&text);
	return status ? status : emit_classes(s, all, has_two, err);
}

static void fini(void *state)
{
	struct growth_state *s = state;

	snapshots_fini(&s->last);
	map_fini(&s->first);
}

const struct stage_type stage_map_growth = {
	.name = "map-growth",
	.help = "resident memory by purpose, at the first look and at the last",
	.tables = tables,
	STAGE_FUNCTIONS(struct growth_state),
};

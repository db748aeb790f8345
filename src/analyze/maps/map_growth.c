/* SPDX-License-Identifier: BSD-2-Clause */
/* Resident memory by purpose, and its growth from the first sample of each process to the last. A
 * process that started after the first sample counts from 0; a process that has ended is left out.
 * Growth needs two samples. */
#include "analyze/maps/map_growth.h"

#include "analyze/maps/map_gains.h"
#include "base/units.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/maps.h"
#include "probes/profile.h"

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

struct growth_state {
	struct output *output;
	bool is_shown, may_be_missing;
	struct map_gains gains;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct growth_state *s = state;

	const struct map_growth_options *o = options;

	(void)err;
	s->output = output;
	s->may_be_missing = o && o->beside_calls;
	s->is_shown = !s->may_be_missing;
	map_gains_init(&s->gains);
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
		s->is_shown |= r->kind == PROFILE_PAGE || r->kind == PROFILE_RELEASE ||
			       map_growth_is_of_runtime(r);
		if (map_gains_add_record(&s->gains, r))
			return error_no_memory(err);
	}
	return 0;
}

/* --- the end --- */

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}

static void put_text(struct buffer *out, const struct map_gain *all, bool has_two,
	const struct growth_totals_row *row)
{
	int64_t gain = (int64_t)(row->rss_bytes - row->before_bytes);
	const struct map_gain *most = has_two ? map_gains_most(all, gain) : NULL;
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
	buffer_string(out, format_bytes(size, (uint64_t)map_gain_bytes(most)));
	buffer_format(out, ", the whole by %s", format_bytes(size, (uint64_t)gain));
}

static int emit_classes(
	struct growth_state *s, const struct map_gain *all, bool has_two, struct sooth_error *err)
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
	bool has_two = map_gains_has_two(&s->gains);
	struct growth_totals_row row = { .before_state = state_if(has_two) };
	struct map_gain all[MAP_CLASSES];
	struct buffer text = { 0 };
	struct record_tail tail[1];
	int status = s->is_shown ? map_gains_sum(&s->gains, all) : 0;

	if (status < 0)
		return error_no_memory(err);
	if (!status)
		return s->may_be_missing ? 0 : emit_none(s, err);
	for (size_t i = 0; i < MAP_CLASSES; i++) {
		row.rss_bytes += all[i].rss;
		row.before_bytes += all[i].before;
	}
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

	map_gains_fini(&s->gains);
}

const struct stage_type stage_map_growth = {
	.name = "map-growth",
	.help = "resident memory by purpose, at the first look and at the last",
	.tables = tables,
	STAGE_FUNCTIONS(struct growth_state),
};

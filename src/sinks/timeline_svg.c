/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws values over time: tracks, where a group shares a scale from 0 to its highest value; strips
 * of color; parts of a whole as one area with a legend; spans; marks. A bucket in which nothing was
 * measured is gray, and hatched by the script; a 0 has a line at the bottom. timeline_layout.h
 * decides what is shown, and svg.h writes the file.
 */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "sinks/svg.h"
#include "sinks/tabular.h"
#include "sinks/timeline_layout.h"

#define PLOT_X	       (PICTURE_MARGIN + LAYOUT_LABEL_PX)
#define PLOT_WIDTH     (PICTURE_WIDTH - 2 * PICTURE_MARGIN - LAYOUT_LABEL_PX - LAYOUT_VALUE_PX)
#define ZERO_PX	       1
#define TICKS_MOST     10
#define COLOR_WHOLE    0
#define HEAT_LEVELS    5
#define STACK_SPACE_PX 8 /* below an area of parts */

extern const char timeline_css[], timeline_js[];

struct timeline_svg {
	struct tabular out;
	struct timeline_layout layout;
	struct buffer gaps; /* gaps of all tracks in one path: hatched shapes are slow to draw */
	struct buffer sums; /* sums of parts by bucket: doubles */
	double y;	    /* position where the next row begins */
	bool is_inline;
};

static const struct layout_track *tracks_of(const struct timeline_svg *s)
{
	size_t count;

	return layout_tracks(&s->layout, &count);
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct timeline_svg *s = state;

	(void)err;
	tabular_open(&s->out, options->stream, "write the picture");
	s->is_inline = s->layout.is_small = options->is_inline;
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct timeline_svg *s = state;

	(void)section;
	(void)err;
	s->layout.section_rows = 0;
	return 0;
}

static int add_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct timeline_svg *s = state;

	batch_for_each (r, batch)
		timeline_layout_add_record(&s->layout, section, r);
	return timeline_layout_failed(&s->layout) ? error_no_memory(err) : 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct timeline_svg *s = state;

	(void)err;
	timeline_layout_end(&s->layout, section);
	return 0;
}

/* --- without a script --- */

static double x_of(const struct timeline_layout *l, double ns)
{
	double share = l->interval_ns > 0 ? ns / l->interval_ns : 0;

	return PLOT_X + PLOT_WIDTH * (share > 1 ? 1 : share);
}

/* Returns where a bucket begins; the last one ends with the axis. */
static double bucket_x(const struct timeline_layout *l, size_t i)
{
	return x_of(l, (double)i * l->stretch_ns);
}

static void put_class_rect(struct timeline_svg *s, const char *class_, struct svg_box box)
{
	buffer_format(&s->out.bytes, "<g class=\"%s\">", class_);
	svg_rect(&s->out.bytes, &box);
	buffer_string(&s->out.bytes, "</g>");
}

static void put_title(struct timeline_svg *s, const char *title)
{
	s->y += LAYOUT_TITLE_PX;
	svg_text(&s->out.bytes, PICTURE_MARGIN, s->y - 8, "group", title, strlen(title),
		PICTURE_WIDTH - 2 * PICTURE_MARGIN);
	buffer_char(&s->out.bytes, '\n');
}

#define LAYOUT_TRACK_PX 30 /* height of a track with the space below it */
#define LAYOUT_STACK_PX 96 /* least height of an area of parts */

/* Returns the value at the top of a track. */
static double layout_top(const struct timeline_layout *l, const struct layout_track *lane)
{
	const struct layout_group *group = &l->groups[lane->group];

	return group->section->has_own_scales ? lane->scale : group->top;
}

/* Returns the height of a track with the space below; 0 for a part. */
static double layout_height(const struct timeline_layout *l, size_t lane)
{
	size_t count, parts;
	const struct layout_track *one = &layout_tracks(l, &count)[lane];
	double legend;

	if (one->is_part)
		return 0;
	if (l->groups[one->group].section->is_heat)
		return LAYOUT_HEAT_PX;
	parts = layout_part_count(l, lane);
	legend = LAYOUT_SPAN_PX + (double)(parts + 2) * LAYOUT_PART_PX;
	if (!parts)
		return LAYOUT_TRACK_PX;
	return legend > LAYOUT_STACK_PX ? legend : LAYOUT_STACK_PX;
}

/* Writes a value of a track as people read it. */
static void layout_value(struct buffer *out, const struct sooth_field *series, double value)
{
	struct sooth_field number = { .type = SOOTH_FIELD_UNSIGNED, .unit = series->unit };
	struct sooth_value whole = { .u = rounded_u64(value) };

	if (isnan(value))
		buffer_string(out, "-");
	else if (series->unit == SOOTH_UNIT_BYTES)
		value_format(out, &number, &whole);
	else
		buffer_format(out, "%.*f%s", series->decimals, value,
			series->unit == SOOTH_UNIT_PERCENT ? " %" : "");
}

/* Returns the time between ticks: 1, 2 or 5 times a power of ten, for at most `most` ticks. */
static double layout_tick_ns(double interval_ns, unsigned most)
{
	static const double steps[] = { 1, 2, 5 };

	for (double power = 1; power < 1e18; power *= 10) {
		for (size_t i = 0; i < 3; i++) {
			if (interval_ns / (steps[i] * power) <= most)
				return steps[i] * power;
		}
	}
	return interval_ns;
}

/* Writes the text of a tick: "0 s", "1.50s". */
static const char *layout_tick(char text[UNITS_SIZE], double at_ns)
{
	if (at_ns > 0)
		return format_ns(text, (uint64_t)at_ns);
	strcpy(text, "0 s");
	return text;
}

static void put_ticks(struct timeline_svg *s)
{
	const struct timeline_layout *l = &s->layout;
	double step = layout_tick_ns(l->interval_ns, TICKS_MOST);
	char text[UNITS_SIZE];

	for (double at = 0; l->interval_ns > 0 && at <= l->interval_ns; at += step) {
		layout_tick(text, at);
		svg_text(&s->out.bytes, x_of(l, at), s->y + 14, "tick", text, strlen(text), 100);
	}
	s->y += LAYOUT_AXIS_PX;
	buffer_char(&s->out.bytes, '\n');
}

/* Writes a label with its baseline at `y`. */
static void put_label(struct timeline_svg *s, const struct sooth_text *label, double y)
{
	svg_text(&s->out.bytes, PICTURE_MARGIN, y, NULL, layout_text(&s->layout, label),
		label->size, LAYOUT_LABEL_PX - 8);
}

static void put_point(struct buffer *out, char command, double value)
{
	buffer_char(out, command);
	svg_number(out, value);
}

/* Writes the color strip of the buckets from `from` up to, not including, `to`. */
static void put_strip(
	const struct timeline_svg *s, struct buffer *out, size_t from, size_t to, double height)
{
	put_point(out, 'M', bucket_x(&s->layout, from));
	put_point(out, ' ', s->y);
	put_point(out, 'H', bucket_x(&s->layout, to));
	put_point(out, 'v', height);
	put_point(out, 'H', bucket_x(&s->layout, from));
	buffer_char(out, 'Z');
}

/* Writes each run of measured values as one shape. */
static void put_values(
	struct timeline_svg *s, const struct layout_track *lane, double height, size_t color)
{
	const double *values = layout_values(&s->layout, lane);
	double bottom = s->y + height, top = layout_top(&s->layout, lane);
	struct buffer *out = &s->out.bytes;

	buffer_format(out, "<path class=\"k%zu\" d=\"", color);
	for (size_t i = 0; i < lane->count; i++) {
		double high = top > 0 ? height * values[i] / top : 0;

		if (isnan(values[i]))
			continue;
		if (!i || isnan(values[i - 1])) {
			put_point(out, 'M', bucket_x(&s->layout, i));
			put_point(out, ' ', bottom);
		}
		put_point(out, 'V', bottom - (high > ZERO_PX ? high : ZERO_PX));
		put_point(out, 'H', bucket_x(&s->layout, i + 1));
		if (i + 1 == lane->count || isnan(values[i + 1])) {
			put_point(out, 'V', bottom);
			buffer_char(out, 'Z');
		}
	}
	buffer_string(out, "\"/>");
}

/* --- strips of color --- */

/* Returns the level of a color; 0: no value, or 0. Has to agree with timeline.js. */
static unsigned level_of(double value, double top)
{
	return value > 0 && top > 0 ? (unsigned)ceil(HEAT_LEVELS * value / top) : 0;
}

static void put_level(struct timeline_svg *s, const struct layout_track *lane, unsigned level)
{
	const double *values = layout_values(&s->layout, lane);
	double top = layout_top(&s->layout, lane);
	struct buffer *out = &s->out.bytes;

	buffer_format(out, "<path class=\"k%zu\" fill-opacity=\"%.2f\" d=\"", lane->color,
		(1.0 + level) / (1 + HEAT_LEVELS));
	for (size_t i = 0, to; i < lane->count; i = to) {
		to = i + 1;
		if (level_of(values[i], top) != level)
			continue;
		while (to < lane->count && level_of(values[to], top) == level)
			to++;
		put_strip(s, out, i, to, LAYOUT_HEAT_PX - 2);
	}
	buffer_string(out, "\"/>");
}

/* --- parts of a whole --- */

/* Draws a part on top of `sums`, and adds it to them. A value that was not measured counts as 0. */
static void put_part(
	struct timeline_svg *s, const struct layout_track *part, double *sums, double height)
{
	const double *values = layout_values(&s->layout, part);
	double top = layout_top(&s->layout, part), bottom = s->y + height;
	double scale = top > 0 ? height / top : 0;
	struct buffer *out = &s->out.bytes;

	buffer_format(out, "<path class=\"k%zu\" d=\"", part->color);
	for (size_t i = 0; i < part->count; i++) {
		double sum = sums[i] + (values[i] > 0 ? values[i] : 0);

		if (!i) {
			put_point(out, 'M', bucket_x(&s->layout, 0));
			put_point(out, ' ', bottom - scale * sum);
		} else {
			put_point(out, 'V', bottom - scale * sum);
		}
		put_point(out, 'H', bucket_x(&s->layout, i + 1));
	}
	for (size_t i = part->count; i--;) {
		put_point(out, 'V', bottom - scale * sums[i]);
		put_point(out, 'H', bucket_x(&s->layout, i));
		sums[i] += values[i] > 0 ? values[i] : 0;
	}
	buffer_string(out, "Z\"/>");
}

static void put_legend(
	struct timeline_svg *s, const struct layout_track *lane, double y, const char *class_)
{
	struct buffer text = { 0 };
	struct svg_box box = { PICTURE_MARGIN + 8, y - 9, 9, 9 };

	buffer_append(&text, layout_text(&s->layout, &lane->part), lane->part.size);
	buffer_char(&text, ' ');
	layout_value(&text, s->layout.groups[lane->group].series, lane->top);
	put_class_rect(s, class_, box);
	svg_text(&s->out.bytes, PICTURE_MARGIN + 22, y, "tick", (const char *)text.data, text.size,
		LAYOUT_LABEL_PX - 30);
	buffer_fini(&text);
}

/* Draws the parts over the whole, a pale area: it is visible where no part covers it. */
static void put_stack(struct timeline_svg *s, const struct layout_track *lane, size_t parts)
{
	double height = layout_height(&s->layout, (size_t)(lane - tracks_of(s))) - STACK_SPACE_PX;
	double y = s->y + LAYOUT_SPAN_PX - 5;
	double *sums = buffer_zeros(&s->sums, lane->count * sizeof(*sums));
	char class_[8];

	if (!sums)
		return;
	put_values(s, lane, height, COLOR_WHOLE);
	put_legend(s, lane, y += LAYOUT_PART_PX, "k0");
	for (size_t i = 1; i <= parts; i++) {
		put_part(s, &lane[i], sums, height);
		snprintf(class_, sizeof(class_), "k%zu", lane[i].color);
		put_legend(s, &lane[i], y += LAYOUT_PART_PX, class_);
	}
	buffer_reset(&s->sums);
}

static void put_gaps(struct timeline_svg *s, const struct layout_track *lane, double height)
{
	const double *values = layout_values(&s->layout, lane);

	for (size_t i = 0, to; i < lane->count; i = to) {
		to = i + 1;
		if (!isnan(values[i]))
			continue;
		while (to < lane->count && isnan(values[to]))
			to++;
		put_strip(s, &s->gaps, i, to, height);
	}
}

static void put_figure(struct timeline_svg *s, const struct layout_track *lane, double y)
{
	struct buffer figure = { 0 };

	layout_value(&figure, s->layout.groups[lane->group].series, lane->top);
	svg_text(&s->out.bytes, PLOT_X + PLOT_WIDTH + 6, y, "tick", (const char *)figure.data,
		figure.size, LAYOUT_VALUE_PX);
	buffer_fini(&figure);
}

static void put_track(struct timeline_svg *s, size_t i)
{
	const struct layout_track *lane = tracks_of(s) + i;
	size_t parts = layout_part_count(&s->layout, i);
	double height = layout_height(&s->layout, i);
	bool is_heat = s->layout.groups[lane->group].section->is_heat;
	double text_y = s->y + (is_heat ? LAYOUT_HEAT_PX - 4 : LAYOUT_SPAN_PX - 5);

	if (lane->is_part)
		return;
	put_label(s, &lane->label, text_y);
	if (is_heat) {
		put_gaps(s, lane, LAYOUT_HEAT_PX - 2);
		for (unsigned level = 1; level <= HEAT_LEVELS; level++)
			put_level(s, lane, level);
	} else if (parts) {
		put_gaps(s, lane, height - STACK_SPACE_PX);
		put_stack(s, lane, parts);
	} else {
		put_gaps(s, lane, LAYOUT_FILL_PX);
		put_values(s, lane, LAYOUT_FILL_PX, lane->color);
	}
	put_figure(s, lane, text_y);
	buffer_char(&s->out.bytes, '\n');
	s->y += height;
}

/* Writes the title of a group: "CPU (percent of one core), 0 to 98.2 %". */
static void put_group_title(struct timeline_svg *s, const struct layout_group *g)
{
	struct buffer title = { 0 };

	buffer_string(&title, g->section->title ? g->section->title : g->section->name);
	if (!g->section->has_own_scales && !isnan(g->top)) {
		buffer_string(&title, ", 0 to ");
		layout_value(&title, g->series, g->top);
	}
	put_title(s, buffer_cstr(&title));
	buffer_fini(&title);
}

static void put_groups(struct timeline_svg *s)
{
	size_t count;
	const struct layout_track *tracks = layout_tracks(&s->layout, &count);

	for (size_t i = 0; i < count; i++) {
		if (!i || tracks[i].group != tracks[i - 1].group)
			put_group_title(s, &s->layout.groups[tracks[i].group]);
		put_track(s, i);
	}
}

static void put_bar(struct timeline_svg *s, const char *class_, double from_ns, double to_ns)
{
	double from = x_of(&s->layout, from_ns), to = x_of(&s->layout, to_ns);

	put_class_rect(s, class_,
		(struct svg_box){
			from, s->y + 2, to - from > 1 ? to - from : 1, LAYOUT_SPAN_PX - 6 });
}

/* Draws a span; a call is pale up to its first byte. */
static void put_span(struct timeline_svg *s, const struct layout_span *span)
{
	double first_ns = isnan(span->first_ns) ? span->to_ns : span->first_ns;

	if (span->is_call)
		put_bar(s, "span pale", span->from_ns, first_ns);
	if (!span->is_call || first_ns < span->to_ns)
		put_bar(s, "span", span->is_call ? first_ns : span->from_ns, span->to_ns);
}

static void put_spans(struct timeline_svg *s)
{
	size_t number = 0;

	buffer_each (const struct layout_row, row, &s->layout.rows) {
		if (row->is_first)
			put_title(s, layout_row_title(row));
		put_label(s, &row->label, s->y + LAYOUT_SPAN_PX - 5);
		buffer_each (const struct layout_span, span, &s->layout.spans) {
			if (span->row == number)
				put_span(s, span);
		}
		buffer_char(&s->out.bytes, '\n');
		s->y += LAYOUT_SPAN_PX;
		number++;
	}
}

static void put_marks(struct timeline_svg *s)
{
	if (!s->layout.marks.size)
		return;
	svg_text(&s->out.bytes, PICTURE_MARGIN, s->y + LAYOUT_SPAN_PX - 5, NULL, "events", 6,
		LAYOUT_LABEL_PX);
	buffer_each (const struct layout_mark, mark, &s->layout.marks)
		put_class_rect(s, "mark",
			(struct svg_box){ x_of(&s->layout, mark->at_ns) - 1, s->y + 1, 2,
				LAYOUT_SPAN_PX - 4 });
	buffer_char(&s->out.bytes, '\n');
	s->y += LAYOUT_SPAN_PX;
}

static void put_shapes(struct timeline_svg *s)
{
	if (!s->is_inline) {
		buffer_string(&s->out.bytes, "<style><![CDATA[\n");
		buffer_string(&s->out.bytes, timeline_css);
		buffer_string(&s->out.bytes, "]]></style>\n");
	}
	buffer_string(&s->out.bytes,
		"<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" "
		"patternUnits=\"userSpaceOnUse\"><path class=\"hatch\" d=\"M0 6L6 0\"/>"
		"</pattern></defs>\n<g id=\"lanes\">\n");
	s->y = PICTURE_HEAD;
	/* A page has tables for readers without scripts. */
	if (!s->is_inline) {
		put_ticks(s);
		put_marks(s);
		put_spans(s);
		put_groups(s);
	}
	buffer_format(&s->out.bytes, "<g class=\"gap\"><path d=\"%s\"/></g>\n</g>\n",
		buffer_cstr(&s->gaps));
}

/* --- all --- */

static double height_of(const struct timeline_layout *l, const char *notes)
{
	size_t tracks;
	double lanes = 0;

	layout_tracks(l, &tracks);
	for (size_t i = 0; i < tracks; i++)
		lanes += layout_height(l, i);
	buffer_each (const struct layout_row, row, &l->rows)
		lanes += LAYOUT_SPAN_PX + (row->is_first ? LAYOUT_TITLE_PX : 0);
	return PICTURE_HEAD + LAYOUT_AXIS_PX + (l->marks.size ? LAYOUT_SPAN_PX : 0) +
	       (double)l->group_count * LAYOUT_TITLE_PX + lanes + picture_notes_height(notes) +
	       2 * PICTURE_MARGIN;
}

static void subtitle_of(const struct timeline_layout *l, struct buffer *out)
{
	char whole[UNITS_SIZE], one[UNITS_SIZE];

	buffer_format(out,
		"%s, one value per %s; at the right the highest value of each track; gray or "
		"hatched: not measured",
		format_ns(whole, (uint64_t)l->interval_ns),
		format_ns(one, (uint64_t)l->stretch_ns));
}

static void note_left_out_tracks(struct timeline_layout *l)
{
	if (l->more_tracks)
		buffer_format(&l->notes,
			"and %zu more threads, processes or API calls (-j lists all)\n",
			l->more_tracks);
	if (l->short_spans)
		buffer_format(&l->notes, "and %zu rows of short-lived processes, in the tables\n",
			l->short_spans);
	if (l->more_marks)
		buffer_format(&l->notes, "and %zu more events (-j lists all)\n", l->more_marks);
}

static int end(void *state, struct sooth_error *err)
{
	struct timeline_svg *s = state;
	struct buffer subtitle = { 0 };
	struct picture p = { .title = "Timeline",
		.kind = "timeline",
		.script = timeline_js,
		.is_inline = s->is_inline };
	const char *notes;

	timeline_layout_scale(&s->layout);
	note_left_out_tracks(&s->layout);
	subtitle_of(&s->layout, &subtitle);
	notes = buffer_cstr(&s->layout.notes);
	p.subtitle = buffer_cstr(&subtitle);
	p.height = s->is_inline ? PICTURE_HEAD : height_of(&s->layout, notes);
	picture_begin(&s->out.bytes, &p);
	put_shapes(s);
	picture_notes(&s->out.bytes, s->y, notes);
	picture_data_begin(&s->out.bytes);
	if (!timeline_data_put(&s->out.bytes, &s->layout))
		s->out.bytes.failed = true;
	picture_data_end(&s->out.bytes);
	picture_end(&s->out.bytes, &p);
	buffer_fini(&subtitle);
	return tabular_write(&s->out, err);
}

static void close_sink(void *state)
{
	struct timeline_svg *s = state;

	timeline_layout_fini(&s->layout);
	tabular_fini(&s->out);
	buffer_fini(&s->gaps);
	buffer_fini(&s->sums);
}

const struct sink_type sink_timeline_svg = {
	.name = "timeline-svg",
	.help = "values over time as a picture",
	.state_size = sizeof(struct timeline_svg),
	.open = open_sink,
	.section = section_begin,
	.rows = add_rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};

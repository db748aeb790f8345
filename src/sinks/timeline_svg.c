/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values over time as a picture: lanes with their own scale from 0 to their highest value, spans,
 * marks. A stretch in which nothing was measured is grey, hatched by the script; a 0 has a line at
 * the bottom. See timeline_layout.h for what of a report is shown, and picture.h for the file.
 */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sinks/json_members.h"
#include "sinks/picture.h"
#include "sinks/svg.h"
#include "sinks/timeline_layout.h"

#define PLOT_X	   (PICTURE_MARGIN + LAYOUT_LABEL_PX)
#define PLOT_WIDTH (PICTURE_WIDTH - 2 * PICTURE_MARGIN - LAYOUT_LABEL_PX - LAYOUT_VALUE_PX)
#define ZERO_PX	   1
#define TICKS_MOST 10
#define COLORS	   9

extern const char timeline_css[], timeline_js[];

struct timeline_svg {
	struct sink_options options;
	struct timeline_layout layout;
	struct buffer bytes;
	struct buffer gaps; /* of all lanes, one path: painters are slow at each hatched shape */
	double y;	    /* where the next row begins */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct timeline_svg *s = state;

	(void)err;
	s->options = *options;
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

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct timeline_svg *s = state;

	batch_for_each (r, batch)
		timeline_layout_take(&s->layout, section, r);
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

/* Where a stretch begins; the last one ends with the time. */
static double bucket_x(const struct timeline_layout *l, size_t i)
{
	return x_of(l, (double)i * l->stretch_ns);
}

static void put_class_rect(struct timeline_svg *s, const char *class_, struct svg_box box)
{
	buffer_format(&s->bytes, "<g class=\"%s\">", class_);
	svg_rect(&s->bytes, &box);
	buffer_string(&s->bytes, "</g>");
}

static void put_title(struct timeline_svg *s, const char *title)
{
	s->y += LAYOUT_TITLE_PX;
	svg_text(&s->bytes, PICTURE_MARGIN, s->y - 8, "group", title, strlen(title),
		PICTURE_WIDTH - 2 * PICTURE_MARGIN);
	buffer_char(&s->bytes, '\n');
}

static void put_ticks(struct timeline_svg *s)
{
	const struct timeline_layout *l = &s->layout;
	double step = layout_tick_ns(l->interval_ns, TICKS_MOST);
	char text[UNITS_SIZE];

	for (double at = 0; l->interval_ns > 0 && at <= l->interval_ns; at += step) {
		format_ns(text, (uint64_t)at);
		svg_text(&s->bytes, x_of(l, at), s->y + 14, "tick", text, strlen(text), 100);
	}
	s->y += LAYOUT_AXIS_PX;
	buffer_char(&s->bytes, '\n');
}

static void put_label(struct timeline_svg *s, const struct sooth_text *label)
{
	svg_text(&s->bytes, PICTURE_MARGIN, s->y + LAYOUT_SPAN_PX - 5, NULL,
		layout_text(&s->layout, label), label->size, LAYOUT_LABEL_PX - 8);
}

static void put_point(struct buffer *out, char command, double value)
{
	buffer_char(out, command);
	svg_number(out, value);
}

/* Runs of values as one shape each. */
static void put_values(struct timeline_svg *s, const struct layout_track *lane)
{
	const double *values = layout_values(&s->layout, lane);
	double bottom = s->y + LAYOUT_FILL_PX;
	struct buffer *out = &s->bytes;

	buffer_format(out, "<path class=\"k%zu\" d=\"", 1 + lane->group % COLORS);
	for (size_t i = 0; i < lane->count; i++) {
		double high = lane->top > 0 ? LAYOUT_FILL_PX * values[i] / lane->top : 0;

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

static void put_gaps(struct timeline_svg *s, const struct layout_track *lane)
{
	const double *values = layout_values(&s->layout, lane);

	for (size_t i = 0, to; i < lane->count; i = to) {
		to = i + 1;
		if (!isnan(values[i]))
			continue;
		while (to < lane->count && isnan(values[to]))
			to++;
		put_point(&s->gaps, 'M', bucket_x(&s->layout, i));
		put_point(&s->gaps, ' ', s->y);
		put_point(&s->gaps, 'H', bucket_x(&s->layout, to));
		put_point(&s->gaps, 'v', LAYOUT_FILL_PX);
		put_point(&s->gaps, 'H', bucket_x(&s->layout, i));
		buffer_char(&s->gaps, 'Z');
	}
}

static void put_track(struct timeline_svg *s, const struct layout_track *lane)
{
	struct buffer figure = { 0 };

	put_label(s, &lane->label);
	put_gaps(s, lane);
	put_values(s, lane);
	layout_value(&figure, s->layout.groups[lane->group].series, lane->top);
	svg_text(&s->bytes, PLOT_X + PLOT_WIDTH + 6, s->y + LAYOUT_SPAN_PX - 5, "tick",
		(const char *)figure.data, figure.size, LAYOUT_VALUE_PX);
	buffer_char(&s->bytes, '\n');
	buffer_fini(&figure);
	s->y += LAYOUT_TRACK_PX;
}

static void put_groups(struct timeline_svg *s)
{
	size_t count;
	const struct layout_track *tracks = layout_tracks(&s->layout, &count);

	for (size_t i = 0; i < count; i++) {
		const struct section *section = s->layout.groups[tracks[i].group].section;

		if (!i || tracks[i].group != tracks[i - 1].group)
			put_title(s, section->title ? section->title : section->name);
		put_track(s, &tracks[i]);
	}
}

static void put_spans(struct timeline_svg *s)
{
	size_t count;
	const struct layout_span *spans = layout_spans(&s->layout, &count);

	for (size_t i = 0; i < count; i++) {
		double from = x_of(&s->layout, spans[i].from_ns);
		double to = x_of(&s->layout, spans[i].to_ns);

		put_label(s, &spans[i].label);
		put_class_rect(s, "span",
			(struct svg_box){ from, s->y + 2, to - from > 1 ? to - from : 1,
				LAYOUT_SPAN_PX - 6 });
		buffer_char(&s->bytes, '\n');
		s->y += LAYOUT_SPAN_PX;
	}
}

static void put_marks(struct timeline_svg *s)
{
	size_t count;
	const struct layout_mark *marks = layout_marks(&s->layout, &count);

	if (!count)
		return;
	svg_text(&s->bytes, PICTURE_MARGIN, s->y + LAYOUT_SPAN_PX - 5, NULL, "events", 6,
		LAYOUT_LABEL_PX);
	for (size_t i = 0; i < count; i++)
		put_class_rect(s, "mark",
			(struct svg_box){ x_of(&s->layout, marks[i].at_ns) - 1, s->y + 1, 2,
				LAYOUT_SPAN_PX - 4 });
	buffer_char(&s->bytes, '\n');
	s->y += LAYOUT_SPAN_PX;
}

static void put_shapes(struct timeline_svg *s)
{
	buffer_string(&s->bytes, "<style><![CDATA[\n");
	buffer_string(&s->bytes, timeline_css);
	buffer_string(&s->bytes,
		"]]></style>\n<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" "
		"patternUnits=\"userSpaceOnUse\"><path class=\"hatch\" d=\"M0 6L6 0\"/>"
		"</pattern></defs>\n<g id=\"lanes\">\n");
	s->y = PICTURE_HEAD;
	put_ticks(s);
	put_spans(s);
	put_marks(s);
	put_groups(s);
	buffer_format(
		&s->bytes, "<g class=\"gap\"><path d=\"%s\"/></g>\n</g>\n", buffer_cstr(&s->gaps));
}

/* --- for the script --- */

static void json_text(struct json *j, const struct timeline_layout *l, const char *key,
	const struct sooth_text *text)
{
	json_key(j, key);
	json_string(j, layout_text(l, text), text->size);
}

static const char *unit_name(enum sooth_unit unit)
{
	return unit == SOOTH_UNIT_BYTES ? "bytes" : unit == SOOTH_UNIT_PERCENT ? "percent" : "";
}

static void json_tracks(struct json *j, const struct timeline_layout *l, size_t group)
{
	const struct sooth_field *series = l->groups[group].series;
	size_t count;
	const struct layout_track *tracks = layout_tracks(l, &count);

	for (size_t i = 0; i < count; i++) {
		if (tracks[i].group != group)
			continue;
		json_begin_object(j);
		json_text(j, l, "label", &tracks[i].label);
		json_key(j, "values");
		json_begin_array(j);
		for (size_t k = 0; k < tracks[i].count; k++)
			json_f64(j, layout_values(l, &tracks[i])[k], series->decimals);
		json_end(j);
		json_end(j);
	}
}

static void json_groups(struct json *j, const struct timeline_layout *l)
{
	json_key(j, "groups");
	json_begin_array(j);
	for (size_t i = 0; i < l->group_count; i++) {
		const struct layout_group *g = &l->groups[i];

		json_begin_object(j);
		json_key(j, "title");
		json_cstring(j, g->section->title ? g->section->title : g->section->name);
		json_key(j, "unit");
		json_cstring(j, unit_name(g->series->unit));
		json_key(j, "decimals");
		json_u64(j, g->series->decimals);
		json_key(j, "lanes");
		json_begin_array(j);
		json_tracks(j, l, i);
		json_end(j);
		json_end(j);
	}
	json_end(j);
}

static void json_spans(struct json *j, const struct timeline_layout *l)
{
	size_t count;
	const struct layout_span *spans = layout_spans(l, &count);

	json_key(j, "spans");
	json_begin_array(j);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(j);
		json_text(j, l, "label", &spans[i].label);
		json_text(j, l, "detail", &spans[i].detail);
		json_key(j, "from");
		json_f64(j, spans[i].from_ns, 0);
		json_key(j, "to");
		json_f64(j, spans[i].to_ns, 0);
		json_key(j, "came");
		json_bool(j, !spans[i].is_open_begin);
		json_key(j, "ended");
		json_bool(j, !spans[i].is_open_end);
		json_end(j);
	}
	json_end(j);
}

static void json_marks(struct json *j, const struct timeline_layout *l)
{
	size_t count;
	const struct layout_mark *marks = layout_marks(l, &count);

	json_key(j, "marks");
	json_begin_array(j);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(j);
		json_key(j, "at");
		json_f64(j, marks[i].at_ns, 0);
		json_text(j, l, "label", &marks[i].label);
		json_text(j, l, "detail", &marks[i].detail);
		json_end(j);
	}
	json_end(j);
}

static bool put_data(struct timeline_svg *s)
{
	const struct timeline_layout *l = &s->layout;
	struct json j;

	json_init(&j, &s->bytes, 0);
	json_begin_object(&j);
	json_key(&j, "interval");
	json_f64(&j, l->interval_ns, 0);
	json_key(&j, "stretch");
	json_f64(&j, l->stretch_ns, 0);
	json_groups(&j, l);
	json_spans(&j, l);
	json_marks(&j, l);
	json_end(&j);
	return !j.failed;
}

/* --- all --- */

static double height_of(const struct timeline_layout *l, const char *notes)
{
	size_t tracks, spans, marks;

	layout_tracks(l, &tracks);
	layout_spans(l, &spans);
	layout_marks(l, &marks);
	return PICTURE_HEAD + LAYOUT_AXIS_PX + (double)spans * LAYOUT_SPAN_PX +
	       (marks ? LAYOUT_SPAN_PX : 0) + (double)l->group_count * LAYOUT_TITLE_PX +
	       (double)tracks * LAYOUT_TRACK_PX + picture_notes_height(notes) + 2 * PICTURE_MARGIN;
}

static void subtitle_of(const struct timeline_layout *l, struct buffer *out)
{
	char whole[UNITS_SIZE], one[UNITS_SIZE];

	buffer_format(out,
		"%s, one value per %s; each track runs from 0 to the value at its right; gray or "
		"hatched: not measured",
		format_ns(whole, (uint64_t)l->interval_ns),
		format_ns(one, (uint64_t)l->stretch_ns));
}

static void note_more(struct timeline_layout *l)
{
	if (l->more_tracks)
		buffer_format(&l->notes, "and %zu more threads or processes (-j lists all)\n", l->more_tracks);
	if (l->more_marks)
		buffer_format(&l->notes, "and %zu more events (-j lists all)\n", l->more_marks);
}

static int end(void *state, struct sooth_error *err)
{
	struct timeline_svg *s = state;
	struct buffer subtitle = { 0 };
	struct picture p = { .title = "Timeline", .kind = "timeline", .script = timeline_js };
	const char *notes;

	note_more(&s->layout);
	subtitle_of(&s->layout, &subtitle);
	notes = buffer_cstr(&s->layout.notes);
	p.subtitle = buffer_cstr(&subtitle);
	p.height = height_of(&s->layout, notes);
	picture_begin(&s->bytes, &p);
	put_shapes(s);
	picture_notes(&s->bytes, s->y, notes);
	picture_data_begin(&s->bytes);
	if (!put_data(s))
		s->bytes.failed = true;
	picture_data_end(&s->bytes);
	picture_end(&s->bytes, &p);
	buffer_fini(&subtitle);
	return json_write_out(&s->bytes, s->options.stream, "write the picture", err);
}

static void close_sink(void *state)
{
	struct timeline_svg *s = state;

	timeline_layout_fini(&s->layout);
	buffer_fini(&s->bytes);
	buffer_fini(&s->gaps);
}

const struct sink_type sink_timeline_svg = {
	.name = "timeline-svg",
	.help = "values over time as a picture",
	.state_size = sizeof(struct timeline_svg),
	.open = open_sink,
	.section = section_begin,
	.rows = rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};

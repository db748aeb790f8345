/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The content of a timeline's picture, gathered from a report, and its layout without a script. The
 * fields of a section, of any schema, determine what is drawn:
 *
 *   stretch_ns, interval_ns  the axis: time of one value of a series, time of all
 *   a series                 a track, named by the texts and numbers before it, last one first
 *   from_ns and to_ns        a span; absent: from the start, to the end. Spans of one name share a
 *                            row if they do not overlap; first_byte_ns: where it becomes darker
 *   at_ns                    a mark
 *
 * Times are since the beginning of the axis.
 */
#pragma once

#include "base/units.h"
#include "explain/sink.h"

#define LAYOUT_GROUPS 12

#define LAYOUT_LABEL_PX 200
#define LAYOUT_VALUE_PX 76 /* values to the right of a track */
#define LAYOUT_TITLE_PX 26
#define LAYOUT_FILL_PX	24 /* height of a track used for values */
#define LAYOUT_SPAN_PX	18
#define LAYOUT_AXIS_PX	22
#define LAYOUT_HEAT_PX	14 /* a strip, with the space below it */
#define LAYOUT_PART_PX	15 /* height of a legend line */
#define LAYOUT_PARTS	9  /* colors */

struct layout_group {
	const struct section *section;		  /* static in the view */
	const struct sooth_field *series, *parts; /* parts: name of a part; may be NULL */
	double top;				  /* scale of all its tracks; NaN: no value */
	size_t measured;			  /* most buckets with a value of a track */
};

/* Texts are plain (svg_plain) and in layout.texts; values are in layout.values. */
struct layout_track {
	size_t group;
	struct sooth_text label; /* common label of the parts */
	struct sooth_text part;
	bool is_part; /* drawn in the area of the last track before it that is no part */
	size_t color; /* class "k2" of the picture's style */
	size_t values_at, count;
	double top;   /* the highest value; NaN: none */
	double scale; /* the track's scale; covers the sum of parts, which may exceed the whole */
};

struct layout_span {
	double from_ns, to_ns;
	double first_ns; /* end of the pale part; NaN: there is none */
	bool is_open_begin, is_open_end, is_call;
	size_t row;
	struct sooth_text label, detail;
};

/* A row of spans. */
struct layout_row {
	double end_ns; /* of its last span */
	struct sooth_text label;
	const struct section *section; /* static in the view */
	bool is_first;		       /* of its section: below a title */
};

struct layout_mark {
	double at_ns;
	struct sooth_text label, detail;
};

struct timeline_layout {
	double interval_ns, stretch_ns;
	struct layout_group groups[LAYOUT_GROUPS];
	size_t group_count;
	struct buffer tracks, spans, rows, marks; /* arrays */
	struct buffer texts, values;		  /* values: doubles */
	struct buffer notes;			  /* plain lines */
	struct sooth_text parts[LAYOUT_PARTS];	  /* names that have a color */
	size_t part_count;
	size_t more_tracks, more_marks, short_spans;
	size_t section_rows; /* rows of the open section */
	bool is_small;	     /* without spans from the start to the end */
};

void timeline_layout_add_record(
	struct timeline_layout *l, const struct section *section, const struct sooth_record *r);
/* Ends a section. A section without rows adds its text to the notes. */
void timeline_layout_end(struct timeline_layout *l, const struct section *section);
/* Computes the scales, after the last section. */
void timeline_layout_scale(struct timeline_layout *l);
bool timeline_layout_failed(const struct timeline_layout *l);
void timeline_layout_fini(struct timeline_layout *l);

static inline const struct layout_track *layout_tracks(
	const struct timeline_layout *l, size_t *count)
{
	*count = l->tracks.size / sizeof(struct layout_track);
	return (const void *)l->tracks.data;
}

static inline const char *layout_text(const struct timeline_layout *l, const struct sooth_text *t)
{
	return buffer_at(&l->texts, t->offset);
}

static inline const double *layout_values(
	const struct timeline_layout *l, const struct layout_track *lane)
{
	return buffer_at(&l->values, lane->values_at * sizeof(double));
}

/* Returns how many of the tracks after `lane` are its parts. */
size_t layout_part_count(const struct timeline_layout *l, size_t lane);

static inline const char *layout_row_title(const struct layout_row *row)
{
	if (sooth_schema_field(row->section->schema, "first_byte_ns"))
		return "API calls, pale until the first byte of the answer";
	return row->section->title ? row->section->title : row->section->name;
}

/* Writes the data for the script that lays out the picture again. False: out of memory. */
bool timeline_data_put(struct buffer *out, const struct timeline_layout *l);

/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/timeline_layout.h"
#include <math.h>
#include <string.h>
#include "base/bars.h"
#include "base/json.h"
#include "model/field.h"
#include "base/units.h"
#include "sinks/svg.h"

#define LAYOUT_TRACKS 400 /* most tracks, and most spans; a note has the number of the others */
#define LAYOUT_MARKS  2000
#define SMALL_SPANS   600 /* of a small picture */
#define SLIVER_PART   20
#define SHORT_SHARE   0.003 /* of the time: shorter processes have no row in a small picture */

/* --- layout --- */

/* Reads a field in ns by its name; false: there is no such field, or no value. */
static bool time_of(const struct sooth_schema *schema, const struct sooth_record *r,
	const char *name, double *ns)
{
	const struct sooth_field *f = sooth_schema_field(schema, name);
	struct sooth_value v;

	if (!f || f->type != SOOTH_FIELD_UNSIGNED || f->unit != SOOTH_UNIT_NS)
		return false;
	v = sooth_field_get(f, r);
	if (v.state == SOOTH_STATE_VALUE)
		*ns = (double)v.u;
	return v.state == SOOTH_STATE_VALUE;
}

static struct sooth_text keep_text(struct timeline_layout *l, const struct buffer *text)
{
	struct sooth_text kept = { (uint32_t)l->texts.size, 0 };

	svg_plain(&l->texts, (const char *)text->data, text->size);
	if (!buffer_failed(&l->texts))
		kept.size = (uint32_t)l->texts.size - kept.offset;
	return kept;
}

static void add_word(struct buffer *out, const struct sooth_field *f, const struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(f, r);
	struct buffer word = { 0 };

	if (value_is_there(&v)) {
		/* The whole label is escaped later: raw here. */
		if (f->type == SOOTH_FIELD_TEXT)
			buffer_append(&word, v.text.data, v.text.size);
		else
			value_format(&word, f, &v);
	}
	if (word.size) {
		buffer_string(out, out->size ? " " : "");
		buffer_append(out, word.data, word.size);
	}
	buffer_fini(&word);
}

static bool is_text_field(const struct sooth_field *f)
{
	return f->type == SOOTH_FIELD_TEXT || f->type == SOOTH_FIELD_ENUM ||
	       (f->type == SOOTH_FIELD_UNSIGNED && f->unit == SOOTH_UNIT_NONE);
}

/* Returns the words of the fields from `from` up to, not including, `to`, in their order, or
 * backwards. */
static struct sooth_text field_words(struct timeline_layout *l, const struct sooth_record *r,
	const struct sooth_field *from, const struct sooth_field *to, const struct sooth_field *but)
{
	int step = from < to ? 1 : -1;
	struct buffer text = { 0 };
	struct sooth_text kept;

	for (const struct sooth_field *f = from; f != to; f += step) {
		if (is_text_field(f) && !f->is_hidden && f != but)
			add_word(&text, f, r);
	}
	kept = keep_text(l, &text);
	buffer_fini(&text);
	return kept;
}

/* Returns the value of a field of the record as text; `f` NULL: an empty text. */
static struct sooth_text field_word(
	struct timeline_layout *l, const struct sooth_field *f, const struct sooth_record *r)
{
	struct buffer text = { 0 };
	struct sooth_text kept;

	if (f)
		add_word(&text, f, r);
	kept = keep_text(l, &text);
	buffer_fini(&text);
	return kept;
}

/* --- lanes --- */

static bool is_same_text(
	const struct timeline_layout *l, const struct sooth_text *a, const struct sooth_text *b)
{
	return a->size == b->size && !memcmp(layout_text(l, a), layout_text(l, b), a->size);
}

/* Returns the color of a part. Equal names have the same color everywhere. */
static size_t color_of(struct timeline_layout *l, const struct sooth_text *part)
{
	size_t i = 0;

	while (i < l->part_count && !is_same_text(l, &l->parts[i], part))
		i++;
	if (i == l->part_count && i < LAYOUT_PARTS)
		l->parts[l->part_count++] = *part;
	return 1 + i % LAYOUT_PARTS;
}

static void note_part(struct timeline_layout *l, const struct layout_group *group,
	struct layout_track *lane, const struct sooth_record *r)
{
	size_t count;
	const struct layout_track *before = layout_tracks(l, &count);

	lane->part = field_word(l, group->parts, r);
	if (timeline_layout_failed(l))
		return;
	lane->is_part = count && before[count - 1].group == lane->group &&
			is_same_text(l, &before[count - 1].label, &lane->label);
	if (lane->is_part)
		lane->color = color_of(l, &lane->part);
}

static const struct sooth_field *series_of(const struct sooth_schema *schema)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].type == SOOTH_FIELD_SERIES)
			return &schema->fields[i];
	}
	return NULL;
}

static struct layout_group *group_of(
	struct timeline_layout *l, const struct section *section, const struct sooth_field *series)
{
	for (size_t i = 0; i < l->group_count; i++) {
		if (l->groups[i].section == section)
			return &l->groups[i];
	}
	if (l->group_count == LAYOUT_GROUPS)
		return NULL;
	l->groups[l->group_count] = (struct layout_group){ section, series,
		section->parts ? sooth_schema_field(section->schema, section->parts) : NULL, NAN,
		0 };
	return &l->groups[l->group_count++];
}

/* Returns whether a track is a sliver beside others of its group: of a process that lived for a
 * moment. */
static bool is_sliver(struct layout_group *group, const struct sooth_value *series)
{
	size_t count = 0, runs = 0;

	for (size_t i = 0; i < series->list.count; i++) {
		bool is_there = !isnan(series_at(series, i));

		runs += is_there && (!i || isnan(series_at(series, i - 1)));
		count += is_there;
	}
	group->measured = count > group->measured ? count : group->measured;
	return runs == 1 && !group->parts && count < group->measured / SLIVER_PART;
}

static void add_track(struct timeline_layout *l, const struct section *section,
	const struct sooth_field *series, const struct sooth_record *r)
{
	struct sooth_value v = sooth_field_get(series, r);
	struct layout_group *group = group_of(l, section, series);
	struct layout_track lane;

	if (v.state != SOOTH_STATE_VALUE)
		return;
	if (l->is_small && group && is_sliver(group, &v)) {
		l->short_spans++;
		return;
	}
	if (!group || l->tracks.size >= LAYOUT_TRACKS * sizeof(lane)) {
		l->more_tracks++;
		return;
	}
	/* The label begins with the last field before the series: the rest may be cut. */
	lane = (struct layout_track){ .group = (size_t)(group - l->groups),
		.label = field_words(l, r, series - 1, section->schema->fields - 1, group->parts),
		.color = 1 + (size_t)(group - l->groups) % LAYOUT_PARTS,
		.values_at = l->values.size / sizeof(double),
		.count = v.list.count };
	buffer_append(&l->values, v.list.data, v.list.count * sizeof(double));
	if (!buffer_failed(&l->values))
		lane.top = bars_top(layout_values(l, &lane), lane.count);
	if (group->parts)
		note_part(l, group, &lane, r);
	buffer_append(&l->tracks, &lane, sizeof(lane));
}

/* --- spans, marks, notes --- */

/* Returns the number of the row for a span: the first of its name that is free, or a new one. */
static size_t row_of(
	struct timeline_layout *l, const struct section *section, const struct layout_span *span)
{
	struct layout_row *rows = (void *)l->rows.data;
	size_t count = l->rows.size / sizeof(*rows);
	struct layout_row row = { span->to_ns, span->label, section,
		!count || rows[count - 1].section != section };

	for (size_t i = 0; i < count; i++) {
		if (rows[i].section != section || rows[i].end_ns > span->from_ns ||
			!is_same_text(l, &rows[i].label, &span->label))
			continue;
		rows[i].end_ns = span->to_ns;
		return i;
	}
	buffer_append(&l->rows, &row, sizeof(row));
	return count;
}

static void add_time_span(
	struct timeline_layout *l, const struct section *section, const struct sooth_record *r)
{
	const struct sooth_schema *schema = section->schema;
	struct layout_span span = { .first_ns = NAN,
		.is_call = sooth_schema_field(schema, "first_byte_ns") != NULL };
	double ns;

	if (l->is_small && !time_of(schema, r, "from_ns", &ns) && !time_of(schema, r, "to_ns", &ns))
		return;

	if (l->rows.size >= LAYOUT_TRACKS * sizeof(struct layout_row) ||
		l->spans.size >= (l->is_small ? SMALL_SPANS : LAYOUT_MARKS) * sizeof(span)) {
		l->more_tracks++;
		return;
	}
	span.is_open_begin = !time_of(schema, r, "from_ns", &span.from_ns);
	span.is_open_end = !time_of(schema, r, "to_ns", &span.to_ns);
	if (span.is_open_end)
		span.to_ns = l->interval_ns;
	if (l->is_small && !span.is_call &&
		span.to_ns - span.from_ns < SHORT_SHARE * l->interval_ns) {
		l->short_spans++;
		return;
	}
	if (time_of(schema, r, "first_byte_ns", &ns))
		span.first_ns = span.from_ns + ns;
	/* The label of a call begins with its server: the rest may be cut. */
	span.label = span.is_call ? field_words(l, r, sooth_schema_field(schema, "from_ns") - 1,
					    schema->fields - 1, NULL)
				  : field_words(l, r, schema->fields,
					    sooth_schema_field(schema, "from_ns"), NULL);
	span.detail = field_words(l, r, sooth_schema_field(schema, "to_ns") + 1,
		schema->fields + schema->field_count, NULL);
	span.row = row_of(l, section, &span);
	buffer_append(&l->spans, &span, sizeof(span));
}

static void add_mark(
	struct timeline_layout *l, const struct section *section, const struct sooth_record *r)
{
	const struct sooth_schema *schema = section->schema;
	const struct sooth_field *detail = sooth_schema_field(schema, "detail");
	struct layout_mark mark = { 0 };

	if (l->marks.size >= LAYOUT_MARKS * sizeof(mark)) {
		l->more_marks++;
		return;
	}
	time_of(schema, r, "at_ns", &mark.at_ns);
	mark.label = field_words(l, r, sooth_schema_field(schema, "at_ns") + 1,
		schema->fields + schema->field_count, detail);
	mark.detail = field_word(l, detail, r);
	buffer_append(&l->marks, &mark, sizeof(mark));
}

static void add_note(
	struct timeline_layout *l, const struct section *section, const struct sooth_record *r)
{
	struct line_plan plan;
	struct buffer line = { 0 };

	line_plan(&plan, section->schema);
	line_format(&line, &plan, r);
	if (line.size) {
		svg_plain(&l->notes, (const char *)line.data, line.size);
		buffer_char(&l->notes, '\n');
	}
	buffer_fini(&line);
}

void timeline_layout_add_record(
	struct timeline_layout *l, const struct section *section, const struct sooth_record *r)
{
	const struct sooth_schema *schema = section->schema;
	const struct sooth_field *series = series_of(schema);

	l->section_rows++;

	if (section->is_last && schema->line)
		add_note(l, section, r);
	else if (series)
		add_track(l, section, series, r);
	else if (time_of(schema, r, "bucket_ns", &l->stretch_ns))
		time_of(schema, r, "interval_ns", &l->interval_ns);
	else if (sooth_schema_field(schema, "from_ns") && sooth_schema_field(schema, "to_ns"))
		add_time_span(l, section, r);
	else if (sooth_schema_field(schema, "at_ns"))
		add_mark(l, section, r);
}

void timeline_layout_end(struct timeline_layout *l, const struct section *section)
{
	if (section->is_last && section->if_empty && !l->section_rows)
		buffer_format(&l->notes, "%s\n", section->if_empty);
}

bool timeline_layout_failed(const struct timeline_layout *l)
{
	return buffer_failed(&l->tracks) || buffer_failed(&l->spans) || buffer_failed(&l->rows) ||
	       buffer_failed(&l->marks) || buffer_failed(&l->texts) || buffer_failed(&l->values) ||
	       buffer_failed(&l->notes);
}

void timeline_layout_fini(struct timeline_layout *l)
{
	buffer_fini(&l->tracks);
	buffer_fini(&l->spans);
	buffer_fini(&l->rows);
	buffer_fini(&l->marks);
	buffer_fini(&l->texts);
	buffer_fini(&l->values);
	buffer_fini(&l->notes);
}

/* --- scales --- */

/* Returns the highest sum of parts. Parts are read in turn, so a sum may exceed the whole. */
static double top_of_sums(
	const struct timeline_layout *l, const struct layout_track *lane, size_t parts)
{
	double top = lane->top;

	for (size_t i = 0; i < lane->count; i++) {
		double sum = 0;

		for (size_t k = 1; k <= parts; k++) {
			double value = i < lane[k].count ? layout_values(l, &lane[k])[i] : NAN;

			sum += value > 0 ? value : 0;
		}
		top = sum > 0 && !(sum <= top) ? sum : top;
	}
	return top;
}

void timeline_layout_scale(struct timeline_layout *l)
{
	struct layout_track *tracks = (void *)l->tracks.data;

	for (size_t i = 0; i < l->tracks.size / sizeof(*tracks); i++) {
		double *top = &l->groups[tracks[i].group].top;

		tracks[i].scale = top_of_sums(l, &tracks[i], layout_part_count(l, i));
		if (isnan(*top) || tracks[i].scale > *top)
			*top = tracks[i].scale;
	}
}

size_t layout_part_count(const struct timeline_layout *l, size_t lane)
{
	size_t count, next = lane + 1;
	const struct layout_track *tracks = layout_tracks(l, &count);

	while (next < count && tracks[next].is_part)
		next++;
	return next - lane - 1;
}

/* --- figures --- */

/* --- data of the script --- */

/* The content of a timeline's picture as numbers, for the script of the picture. */

static void json_text(struct json *j, const struct timeline_layout *l, const char *key,
	const struct sooth_text *text)
{
	json_format(j, "%s:%.*s", key, (int)text->size, layout_text(l, text));
}

static const char *unit_name(enum sooth_unit unit)
{
	return unit == SOOTH_UNIT_BYTES ? "bytes" : unit == SOOTH_UNIT_PERCENT ? "percent" : "";
}

static bool is_same_value(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

/* Writes values; [3] stands for three more of the value before it. */
static void json_values(struct json *j, const double *values, size_t count, unsigned decimals)
{
	for (size_t i = 0, next; i < count; i = next) {
		next = i + 1;
		while (next < count && is_same_value(values[i], values[next]))
			next++;
		json_f64(j, values[i], decimals);
		if (next == i + 2)
			json_f64(j, values[i], decimals);
		else if (next > i + 2)
			json_format(j, "[%zu]", next - i - 1);
	}
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
		if (l->groups[group].parts) {
			json_text(j, l, "part", &tracks[i].part);
			json_format(j, "'is_part':%i", tracks[i].is_part);
		}
		json_format(j, "'color':%zu,'values':[", tracks[i].color);
		json_values(j, layout_values(l, &tracks[i]), tracks[i].count, series->decimals);
		json_format(j, "]}");
	}
}

static void json_groups(struct json *j, const struct timeline_layout *l)
{
	json_format(j, "'groups':[");
	for (size_t i = 0; i < l->group_count; i++) {
		const struct layout_group *g = &l->groups[i];

		json_format(j, "{'title':%s,'unit':%s,'decimals':%u,'heat':%i,'own':%i,'lanes':[",
			g->section->title ? g->section->title : g->section->name,
			unit_name(g->series->unit), g->series->decimals, g->section->is_heat,
			g->section->has_own_scales);
		json_tracks(j, l, i);
		json_format(j, "]}");
	}
	json_end(j);
}

static void json_spans(struct json *j, const struct timeline_layout *l)
{
	json_format(j, "'rows':[");
	buffer_each (const struct layout_row, row, &l->rows) {
		json_begin_object(j);
		json_text(j, l, "label", &row->label);
		json_format(j, "'title':%s}", row->is_first ? layout_row_title(row) : "");
	}
	json_format(j, "],'spans':[");
	buffer_each (const struct layout_span, span, &l->spans) {
		json_begin_object(j);
		json_text(j, l, "detail", &span->detail);
		json_format(j, "'row':%zu,'call':%i,'first':", span->row, span->is_call);
		json_f64(j, span->first_ns, 0);
		json_format(j, "'from':%.0f,'to':%.0f,'came':%i,'ended':%i}", span->from_ns,
			span->to_ns, !span->is_open_begin, !span->is_open_end);
	}
	json_end(j);
}

static void json_marks(struct json *j, const struct timeline_layout *l)
{
	json_format(j, "'marks':[");
	buffer_each (const struct layout_mark, mark, &l->marks) {
		json_format(j, "{'at':%.0f", mark->at_ns);
		json_text(j, l, "label", &mark->label);
		json_text(j, l, "detail", &mark->detail);
		json_end(j);
	}
	json_end(j);
}

bool timeline_data_put(struct buffer *out, const struct timeline_layout *l)
{
	struct json j;

	json_init(&j, out, 0);
	json_format(&j, "{'interval':%.0f,'stretch':%.0f", l->interval_ns, l->stretch_ns);
	json_groups(&j, l);
	json_spans(&j, l);
	json_marks(&j, l);
	json_end(&j);
	return !j.failed;
}

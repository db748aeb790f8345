/* SPDX-License-Identifier: BSD-2-Clause */
#include "sinks/timeline_data.h"

#include "base/json.h"

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
		if (l->groups[group].parts) {
			json_text(j, l, "part", &tracks[i].part);
			json_key(j, "is_part");
			json_bool(j, tracks[i].is_part);
		}
		json_key(j, "color");
		json_u64(j, tracks[i].color);
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
		json_key(j, "heat");
		json_bool(j, g->section->is_heat);
		json_key(j, "own");
		json_bool(j, g->section->has_own_scales);
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

bool timeline_data_put(struct buffer *out, const struct timeline_layout *l)
{
	struct json j;

	json_init(&j, out, 0);
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

/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts: the thresholds of processes, and the rows of each frame. */
#include "cli/watch/alerts.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/watch/alert_emit.h"
#include "cli/watch/alert_state.h"
#include "model/batch.h"
#include "model/field.h"

#define RAISED_MAX 4096

static const struct alert_watched watched[] = { { "cpu", "cpu_percent", "percent", 1 },
	{ "memory", "rss_bytes", "bytes", 0 } };

void alerts_init(struct alerts *a, const struct alert_options *options)
{
	*a = (struct alerts){ .options = *options };
	map_init(&a->raised, sizeof(struct alert_key), sizeof(struct raised_alert), RAISED_MAX);
}

void alerts_fini(struct alerts *a)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&a->raised, &position, &key, &value))
		buffer_fini(&((struct raised_alert *)value)->row);
	map_fini(&a->raised);
	own_command_end(&a->finder);
	buffer_fini(&a->finder_text);
}

/* --- watching --- */

static double threshold_of(const struct alerts *a, uint32_t kind)
{
	return kind ? (double)a->options.rss_bytes : a->options.cpu_percent;
}

/* The value of the field; true: the alert is cleared. */
static bool is_over(const struct alert_event *e)
{
	return e->has_ended || e->value < e->threshold * ALERT_CLEAR_AT;
}

static void raise_alert(struct alerts *a, const struct alert_event *e)
{
	struct raised_alert *known = map_put(&a->raised, &e->key, NULL);

	if (!known)
		return;
	alert_keep(known, a, e);
	alert_emit(a, e);
}

static void clear_alert(struct alerts *a, struct alert_event *e, const struct raised_alert *known)
{
	struct raised_alert was = *known;
	char name[64];

	if (e->has_ended)
		e->row = alert_row(&was);
	alert_copy_name(name, a->schema, e->row);
	e->name = name;
	map_remove(&a->raised, &e->key);
	alert_emit(a, e);
	buffer_fini(&was.row);
}

static void watch(struct alerts *a, uint32_t kind, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(a->schema, watched[kind].field);
	struct alert_event e = { .alert = watched[kind].alert,
		.what = &watched[kind],
		.row = row,
		.schema = a->schema,
		.threshold = threshold_of(a, kind),
		.key = { row->start_ticks, row->pid, kind } };
	struct raised_alert *known = map_get(&a->raised, &e.key);
	struct sooth_value v;
	char name[64];

	if (!f || e.threshold <= 0)
		return;
	v = sooth_field_get(f, row);
	e.has_ended = alert_has_ended(a->schema, row);
	if (known)
		alert_keep(known, a, &e);
	if (v.state != SOOTH_STATE_VALUE && !e.has_ended)
		return;
	e.value = v.type == SOOTH_FIELD_REAL ? v.f : (double)v.u;
	alert_copy_name(name, a->schema, row);
	e.name = name;
	e.is_raised = !e.has_ended && e.value >= e.threshold;
	if (!known && e.is_raised)
		raise_alert(a, &e);
	else if (known && is_over(&e))
		clear_alert(a, &e, known);
}

static void clear_ended(struct alerts *a)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&a->raised, &position, &key, &value)) {
		const struct raised_alert *known = value;
		struct alert_event e = { .key = *(const struct alert_key *)key,
			.schema = a->schema,
			.has_ended = true };

		if (known->frame == a->frame)
			continue;
		if (e.key.kind == ALERT_ACTIVITY || e.key.kind == ALERT_END) {
			alert_session_gone(a, &e.key);
			continue;
		}
		e.what = &watched[e.key.kind];
		e.alert = e.what->alert;
		e.threshold = threshold_of(a, e.key.kind);
		clear_alert(a, &e, known);
	}
}

/* --- as a sink --- */

struct alert_state {
	struct alerts *alerts;
	bool has_rows;	 /* the frame had a table of them */
	bool is_watched; /* the open section */
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct alert_state *)state)->alerts = options->user;
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)head;
	(void)err;
	s->alerts->frame++;
	s->has_rows = false;
	return 0;
}

/* A second table of them is for a screen: the same ones as a tree. */
static bool is_watched(const struct alert_state *s, const struct section *section)
{
	return !s->has_rows && section->shape == SECTION_TABLE &&
	       !strcmp(section->name, "processes");
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	s->is_watched = is_watched(s, section);
	if (!s->is_watched)
		return 0;
	s->has_rows = true;
	s->alerts->schema = section->schema;
	return 0;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	if (s->alerts->options.on.finding && alert_is_of_findings(section))
		alert_findings(s->alerts, section->schema, batch);
	if (!s->is_watched)
		return 0;
	batch_for_each (r, batch) {
		for (uint32_t kind = 0; kind < ARRAY_SIZE(watched); kind++)
			watch(s->alerts, kind, r);
		alert_session(s->alerts, r);
	}
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	if (s->has_rows)
		clear_ended(s->alerts);
	alert_findings_step(s->alerts);
	alert_reap(s->alerts);
	return 0;
}

const struct sink_type alert_sink = {
	.name = "alerts",
	.help = "alerts on thresholds, activities, findings and ends",
	.state_size = sizeof(struct alert_state),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = rows,
	.end = end,
};

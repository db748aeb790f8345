/* SPDX-License-Identifier: BSD-2-Clause */
/* See alerts.h. */
#include "cli/alerts.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/alert_tell.h"
#include "model/batch.h"
#include "model/field.h"

#define RAISED_MAX 4096

static const struct alert_watched watched[] = { { "cpu", "cpu_percent", "percent", 1 },
	{ "memory", "rss_bytes", "bytes", 0 } };

struct raised_alert {
	uint32_t frame; /* in which it was last seen */
	char name[64];
};

void alerts_init(struct alerts *a, const struct alert_options *options)
{
	*a = (struct alerts){ .options = *options };
	map_init(&a->raised, sizeof(struct alert_key), sizeof(struct raised_alert), RAISED_MAX);
}

void alerts_fini(struct alerts *a)
{
	map_fini(&a->raised);
}

/* --- watching --- */

static double threshold_of(const struct alerts *a, uint32_t kind)
{
	return kind ? (double)a->options.rss_bytes : a->options.cpu_percent;
}

static void copy_name(
	char out[64], const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, "name");
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (f)
		v = sooth_field_get(f, row);
	out[0] = '\0';
	if (value_is_there(&v))
		snprintf(out, 64, "%.*s", (int)v.text.size, v.text.data);
}

/* It stands in the table until its parent asks how it ended; its figures are nobody's by then. */
static bool has_ended(const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, "state");
	struct sooth_value v;

	if (!f)
		return false;
	v = sooth_field_get(f, row);
	return value_is_there(&v) && v.text.size && (*v.text.data == 'Z' || *v.text.data == 'X');
}

/* The value is that of the field; true: the alert that was told is over. */
static bool is_over(const struct alert_event *e)
{
	return e->has_ended || e->value < e->threshold * ALERT_CLEAR_AT;
}

static void watch(struct alerts *a, uint32_t kind, const struct sooth_schema *schema,
	const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, watched[kind].field);
	struct alert_event e = { .what = &watched[kind],
		.row = row,
		.schema = schema,
		.threshold = threshold_of(a, kind),
		.key = { row->start_ticks, row->pid, kind } };
	struct raised_alert *known = map_get(&a->raised, &e.key);
	struct sooth_value v;
	char name[64];

	if (!f || e.threshold <= 0)
		return;
	v = sooth_field_get(f, row);
	if (known)
		known->frame = a->frame;
	e.has_ended = has_ended(schema, row);
	if (v.state != SOOTH_STATE_VALUE && !e.has_ended)
		return;
	e.value = v.type == SOOTH_FIELD_REAL ? v.f : (double)v.u;
	copy_name(name, schema, row);
	e.name = name;
	e.is_raised = !e.has_ended && e.value >= e.threshold;
	if (!known && e.is_raised) {
		known = map_put(&a->raised, &e.key, NULL);
		if (known) {
			*known = (struct raised_alert){ .frame = a->frame };
			memcpy(known->name, name, sizeof(name));
			alert_tell(a, &e);
		}
	} else if (known && is_over(&e)) {
		map_remove(&a->raised, &e.key);
		alert_tell(a, &e);
	}
}

static void clear_ended(struct alerts *a)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&a->raised, &position, &key, &value)) {
		struct raised_alert was = *(struct raised_alert *)value;
		struct alert_event e = { .key = *(const struct alert_key *)key, .has_ended = true };

		if (was.frame == a->frame)
			continue;
		e.what = &watched[e.key.kind];
		e.name = was.name;
		e.threshold = threshold_of(a, e.key.kind);
		map_remove(&a->raised, &e.key);
		alert_tell(a, &e);
	}
}

/* --- as a sink --- */

struct alert_state {
	struct alerts *alerts;
	bool has_rows; /* the frame had a table of them */
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

static bool is_watched(const struct section *section)
{
	return section->shape == SECTION_TABLE && !strcmp(section->name, "processes");
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	(void)err;
	((struct alert_state *)state)->has_rows |= is_watched(section);
	return 0;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	if (!is_watched(section))
		return 0;
	batch_for_each (r, batch) {
		for (uint32_t kind = 0; kind < ARRAY_SIZE(watched); kind++)
			watch(s->alerts, kind, section->schema, r);
	}
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	if (s->has_rows)
		clear_ended(s->alerts);
	alert_reap(s->alerts);
	return 0;
}

const struct sink_type alert_sink = {
	.name = "alerts",
	.help = "thresholds that are watched",
	.state_size = sizeof(struct alert_state),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = rows,
	.end = end,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts on what an agent is doing, and on its end. */
#include <stdio.h>
#include <string.h>

#include "cli/watch/alert_state.h"
#include "model/batch.h"
#include "model/field.h"

#define TEXT_SIZE 256

struct doing {
	bool is_main;  /* the row has an activity: it is the main process of a session */
	bool is_known; /* and its state is known */
	uint32_t state;
};

static struct doing doing_of(const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, "activity"), *state;
	struct doing result = { 0 };
	const struct sooth_record *inner;
	struct sooth_value v;

	if (!f || f->type != SOOTH_FIELD_ROWS)
		return result;
	v = sooth_field_get(f, row);
	inner = v.state == SOOTH_STATE_VALUE ? sooth_rows_next(&v, NULL) : NULL;
	state = sooth_schema_field(f->rows, "state");
	if (!inner || !state)
		return result;
	result.is_main = true;
	v = sooth_field_get(state, inner);
	result.is_known = v.state == SOOTH_STATE_VALUE;
	result.state = result.is_known ? (uint32_t)v.u : 0;
	return result;
}

static void copy_text(
	char out[TEXT_SIZE], const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *f = row ? sooth_schema_field(schema, "activity_text") : NULL;
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (f)
		v = sooth_field_get(f, row);
	snprintf(out, TEXT_SIZE, "%.*s", value_is_there(&v) ? (int)v.text.size : 0,
		value_is_there(&v) ? v.text.data : "");
}

static bool is_chosen(const struct alerts *a, uint32_t state)
{
	return state < 64 && a->options.on.activities & 1ull << state;
}

static const char *name_of(const struct alerts *a, uint32_t state)
{
	const struct sooth_names *names = alert_activities(a->schema);

	return names && state < names->count && names->names[state] ? names->names[state]
								    : "activity";
}

static void raise_activity(struct alerts *a, struct alert_event *e, uint32_t state)
{
	char text[TEXT_SIZE];

	copy_text(text, a->schema, e->row);
	e->alert = name_of(a, state);
	e->text = text;
	e->is_raised = true;
	alert_emit(a, e);
}

/* The JSON has the process as it is now; of one that has exited, as it was. */
static void clear_activity(
	struct alerts *a, struct alert_event *e, const struct raised_alert *known)
{
	char before[TEXT_SIZE], now[TEXT_SIZE], text[2 * TEXT_SIZE + 32];

	copy_text(before, a->schema, alert_row(known));
	copy_text(now, a->schema, e->row);
	snprintf(text, sizeof(text), "%s%s; before: %s", e->has_ended ? "" : "now ",
		e->has_ended ? "has exited" : now, before);
	e->alert = name_of(a, known->state);
	e->text = text;
	e->is_raised = false;
	if (e->has_ended)
		e->row = alert_row(known);
	alert_emit(a, e);
}

/* An unknown state changes nothing: it is no news that the agent did something else. */
static void watch_activity(struct alerts *a, struct alert_event *e, const struct doing *doing)
{
	struct raised_alert *known;
	bool is_new;

	e->key.kind = ALERT_ACTIVITY;
	known = map_get(&a->raised, &e->key);
	is_new = doing->is_known && (!known || known->state != doing->state);
	if (known && is_new && is_chosen(a, known->state))
		clear_activity(a, e, known);
	if (!known && is_new)
		known = map_put(&a->raised, &e->key, NULL);
	if (!known)
		return;
	alert_keep(known, a, e);
	if (is_new)
		known->state = doing->state;
	if (is_new && is_chosen(a, doing->state))
		raise_activity(a, e, doing->state);
}

static void report_end(struct alerts *a, struct alert_event *e, const struct raised_alert *known)
{
	char name[64];

	e->row = alert_row(known);
	alert_copy_name(name, a->schema, e->row);
	e->name = name;
	e->alert = "end";
	e->text = "has exited";
	e->is_raised = e->has_ended = true;
	alert_emit(a, e);
}

static void watch_end(struct alerts *a, struct alert_event *e, bool is_main)
{
	struct raised_alert *known;

	e->key.kind = ALERT_END;
	known = map_get(&a->raised, &e->key);
	if (!known && !e->has_ended && (is_main || a->options.is_any_end))
		known = map_put(&a->raised, &e->key, NULL);
	if (!known)
		return;
	alert_keep(known, a, e);
	if (e->has_ended && !known->is_reported)
		report_end(a, e, known);
	known->is_reported = e->has_ended;
}

void alert_session(struct alerts *a, const struct sooth_record *row)
{
	struct doing doing = doing_of(a->schema, row);
	struct alert_event e = { .row = row,
		.schema = a->schema,
		.key = { row->start_ticks, row->pid, ALERT_ACTIVITY },
		.has_ended = alert_has_ended(a->schema, row) };
	char name[64];

	alert_copy_name(name, a->schema, row);
	e.name = name;
	if (a->options.on.activities && !e.has_ended)
		watch_activity(a, &e, &doing);
	e.row = row;
	if (a->options.on.end)
		watch_end(a, &e, doing.is_main);
}

void alert_session_gone(struct alerts *a, const struct alert_key *key)
{
	struct raised_alert was = *(struct raised_alert *)map_get(&a->raised, key);
	struct alert_event e = { .schema = a->schema, .key = *key, .has_ended = true };
	char name[64];

	alert_copy_name(name, a->schema, alert_row(&was));
	e.name = name;
	map_remove(&a->raised, key);
	if (e.key.kind == ALERT_ACTIVITY && is_chosen(a, was.state))
		clear_activity(a, &e, &was);
	if (e.key.kind == ALERT_END && !was.is_reported)
		report_end(a, &e, &was);
	buffer_fini(&was.row);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts: the thresholds of processes, and the rows of each frame. */
#include "cli/watch/alerts.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "cli/watch/alert_line.h"
#include "cli/watch/alert_programs.h"
#include "explain/sink.h"
#include "model/batch.h"
#include "model/field.h"

/* An alert that is raised, and its row. */
struct raised_alert {
	uint32_t frame;	   /* frame in which it was last seen */
	uint32_t state;	   /* state of an activity */
	bool is_reported;  /* an end was reported */
	struct buffer row; /* last row, needed when the process is gone */
};

/* Returns whether the process has ended. A zombie stays in the table with values of its last
 * moment. */
static bool alert_has_ended(const struct sooth_schema *schema, const struct sooth_record *row)
{
	struct span state = text_named(schema, row, "state");

	return state.size && (*state.data == 'Z' || *state.data == 'X');
}

static void alert_keep(
	struct raised_alert *known, const struct alerts *a, const struct alert_event *e)
{
	known->frame = a->frame;
	if (e->has_ended)
		return; /* an exited process may have lost its name */
	buffer_reset(&known->row);
	buffer_append(&known->row, e->row, record_bytes(e->row));
}

static const struct sooth_record *alert_row(const struct raised_alert *known)
{
	return known->row.size && !buffer_failed(&known->row) ? (const void *)known->row.data
							      : NULL;
}

#define RAISED_MAX	  4096
#define TEXT_SIZE	  256
#define FINDING_TEXT_SIZE 600
#define PREFIX		  "sooth: "

/* --- findings that appear and end: of rows --- */

static bool alert_is_of_findings(const struct section *section)
{
	return section->shape == SECTION_STREAM && !strcmp(section->schema->name, "finding.change");
}

static bool is_finding_cleared(const struct sooth_schema *schema, const struct sooth_record *row)
{
	char state[16];

	sooth_field_text(sooth_schema_field(schema, "state"), row, state, sizeof(state));
	return !strcmp(state, "cleared");
}

/* Emits a finding: "cpu-spin: computes all the time". */
static void emit_finding(struct alerts *a, struct alert_event *e, struct span id, struct span claim)
{
	char name[64], text[FINDING_TEXT_SIZE];

	copy_named(e->schema, e->row, "name", name, sizeof(name));
	snprintf(text, sizeof(text), "%.*s: %.*s", (int)id.size, (const char *)id.data,
		(int)claim.size, (const char *)claim.data);
	e->name = name;
	e->text = text;
	alert_emit(a, e);
}

bool alert_on_finding(struct alerts *a, const struct alert_finding *f)
{
	assert(f);

	struct alert_event e = { .alert = "finding",
		.row = f->row,
		.schema = f->schema,
		.finding = f,
		.key = { f->start_ticks, f->pid, ALERT_FINDING },
		.is_raised = f->is_raised,
		.has_ended = f->has_ended };

	assert(a);
	if (!alert_wants_finding(&a->options.on, f->id, f->severity))
		return false;
	emit_finding(a, &e, span_of(f->id, strlen(f->id)), span_of(f->claim, strlen(f->claim)));
	return true;
}

static bool is_alert_requested(
	const struct alerts *a, const struct sooth_schema *schema, const struct sooth_record *row)
{
	char id[64], severity[16];

	sooth_field_text(sooth_schema_field(schema, "id"), row, id, sizeof(id));
	sooth_field_text(sooth_schema_field(schema, "severity"), row, severity, sizeof(severity));
	return alert_wants_finding(&a->options.on, id, severity);
}

static void alert_findings(
	struct alerts *a, const struct sooth_schema *schema, const struct batch *batch)
{
	alert_reap(a);
	batch_for_each (r, batch) {
		struct span id = text_named(schema, r, "id"),
			    claim = text_named(schema, r, "claim");
		struct alert_event e = { .alert = "finding",
			.row = r,
			.schema = schema,
			.key = { r->start_ticks, r->pid, ALERT_FINDING },
			.is_raised = !is_finding_cleared(schema, r) };

		if (is_alert_requested(a, schema, r))
			emit_finding(a, &e, id, claim);
	}
}

/* --- findings that appear and end: of a command beside this one --- */

void alerts_start(struct alerts *a)
{
	if (a->options.finder && own_command_start(&a->finder, a->options.finder, 0))
		alert_line(a, "no alerts on findings: no process could be started");
}

/* Passes on a line of the child, which has escaped the text of targets. */
static void print_child_line(struct alerts *a, const char *line, size_t size)
{
	char text[FINDING_TEXT_SIZE];

	if (size >= strlen(PREFIX) && !memcmp(line, PREFIX, strlen(PREFIX))) {
		line += strlen(PREFIX);
		size -= strlen(PREFIX);
	}
	snprintf(text, sizeof(text), "%.*s", (int)size, line);
	alert_line(a, text);
	if (a->options.has_bell && !strncmp(text, "warning: ", strlen("warning: ")))
		alert_bell();
}

/* Shows what the command beside this one has written. */
static void alert_findings_step(struct alerts *a)
{
	struct buffer *text = &a->finder_text;
	const char *end;

	if (!a->finder.pid)
		return;
	own_command_read(&a->finder, text);
	while (text->size && (end = memchr(text->data, '\n', text->size))) {
		size_t size = (size_t)(end - (const char *)text->data);

		print_child_line(a, (const char *)text->data, size);
		buffer_consume(text, size + 1);
	}
	if (!a->finder.pid)
		alert_line(a, "no more alerts on findings: the diagnosis has ended");
}

/* --- what an agent is doing, and its end --- */

struct doing {
	bool is_main;  /* the row has an activity: it is the main process of a session */
	bool is_known; /* and its state is known */
	uint32_t state;
};

static struct doing activity_of(const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *state;
	struct sooth_value v = value_in_first_row(schema, row, "activity", "state", &state);
	bool is_known = v.state == SOOTH_STATE_VALUE;

	return (struct doing){ state != NULL, is_known, is_known ? (uint32_t)v.u : 0 };
}

static bool is_state_chosen(const struct alerts *a, uint32_t state)
{
	return state < 64 && a->options.on.activities & 1ull << state;
}

static const char *name_of_state(const struct alerts *a, uint32_t state)
{
	const struct sooth_names *names = alert_activities(a->schema);

	return names && state < names->count && names->names[state] ? names->names[state]
								    : "activity";
}

static void raise_activity(struct alerts *a, struct alert_event *e, uint32_t state)
{
	char text[TEXT_SIZE];

	copy_named(a->schema, e->row, "activity_text", text, sizeof(text));
	e->alert = name_of_state(a, state);
	e->text = text;
	e->is_raised = true;
	alert_emit(a, e);
}

/* Clears the alert of an activity. The JSON has the process as it is now; of a process that has
 * exited, as it was. */
static void clear_activity(
	struct alerts *a, struct alert_event *e, const struct raised_alert *known)
{
	char before[TEXT_SIZE], now[TEXT_SIZE], text[2 * TEXT_SIZE + 32];

	copy_named(a->schema, alert_row(known), "activity_text", before, sizeof(before));
	copy_named(a->schema, e->row, "activity_text", now, sizeof(now));
	snprintf(text, sizeof(text), "%s%s; before: %s", e->has_ended ? "" : "now ",
		e->has_ended ? "has exited" : now, before);
	e->alert = name_of_state(a, known->state);
	e->text = text;
	e->is_raised = false;
	if (e->has_ended)
		e->row = alert_row(known);
	alert_emit(a, e);
}

/* Watches the activity. An unknown state changes nothing: it is no news that the agent did
 * something else. */
static void watch_activity(struct alerts *a, struct alert_event *e, const struct doing *doing)
{
	struct raised_alert *known;
	bool is_new;

	e->key.kind = ALERT_ACTIVITY;
	known = map_get(&a->raised, &e->key);
	is_new = doing->is_known && (!known || known->state != doing->state);
	if (known && is_new && is_state_chosen(a, known->state))
		clear_activity(a, e, known);
	if (!known && is_new)
		known = map_put(&a->raised, &e->key, NULL);
	if (!known)
		return;
	alert_keep(known, a, e);
	if (is_new)
		known->state = doing->state;
	if (is_new && is_state_chosen(a, doing->state))
		raise_activity(a, e, doing->state);
}

static void report_cleared_alert(
	struct alerts *a, struct alert_event *e, const struct raised_alert *known)
{
	char name[64];

	e->row = alert_row(known);
	copy_named(a->schema, e->row, "name", name, sizeof(name));
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
		report_cleared_alert(a, e, known);
	known->is_reported = e->has_ended;
}

/* Raises alerts of the activity and the end of the main process of a session. */
static void alert_session(struct alerts *a, const struct sooth_record *row)
{
	struct doing doing = activity_of(a->schema, row);
	struct alert_event e = { .row = row,
		.schema = a->schema,
		.key = { row->start_ticks, row->pid, ALERT_ACTIVITY },
		.has_ended = alert_has_ended(a->schema, row) };
	char name[64];

	copy_named(a->schema, row, "name", name, sizeof(name));
	e.name = name;
	if (a->options.on.activities && !e.has_ended)
		watch_activity(a, &e, &doing);
	e.row = row;
	if (a->options.on.end)
		watch_end(a, &e, doing.is_main);
}

/* Ends the alert of a session whose row is no longer in the frame. */
static void alert_session_gone(struct alerts *a, const struct alert_key *key)
{
	struct raised_alert was = *(struct raised_alert *)map_get(&a->raised, key);
	struct alert_event e = { .schema = a->schema, .key = *key, .has_ended = true };
	char name[64];

	copy_named(a->schema, alert_row(&was), "name", name, sizeof(name));
	e.name = name;
	map_remove(&a->raised, key);
	if (e.key.kind == ALERT_ACTIVITY && is_state_chosen(a, was.state))
		clear_activity(a, &e, &was);
	if (e.key.kind == ALERT_END && !was.is_reported)
		report_cleared_alert(a, &e, &was);
	buffer_fini(&was.row);
}

/* --- all alerts --- */

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

	assert(a);
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

/* Returns whether the alert is over: the process has ended, or the value is clearly below the
 * threshold. */
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
	copy_named(a->schema, e->row, "name", name, sizeof(name));
	e->name = name;
	map_remove(&a->raised, &e->key);
	alert_emit(a, e);
	buffer_fini(&was.row);
}

static void check_threshold(struct alerts *a, uint32_t kind, const struct sooth_record *row)
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
	copy_named(a->schema, row, "name", name, sizeof(name));
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

/* Returns whether a section is the table of processes. A second such table is for a screen. */
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

static int handle_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct alert_state *s = state;

	(void)err;
	if (alert_wants_findings(&s->alerts->options.on) && alert_is_of_findings(section))
		alert_findings(s->alerts, section->schema, batch);
	if (!s->is_watched)
		return 0;
	batch_for_each (r, batch) {
		for (uint32_t kind = 0; kind < ARRAY_SIZE(watched); kind++)
			check_threshold(s->alerts, kind, r);
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
	.rows = handle_rows,
	.end = end,
};

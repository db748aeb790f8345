/* SPDX-License-Identifier: BSD-2-Clause */
/* Reporting an alert: on the screen or standard error, by the bell, to a program. */
#include "cli/watch/alert_emit.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/json.h"
#include "base/units.h"
#include "cli/watch/alert_line.h"
#include "cli/watch/alert_programs.h"
#include "model/field.h"
#include "sinks/json_members.h"

/* Writes a member of text; null: none, or not known. */
static void text_member(struct json *j, const struct alert_event *e, const char *name)
{
	struct sooth_value v = value_named(e->schema, e->row, name);

	json_key(j, name);
	if (v.state == SOOTH_STATE_VALUE && v.type == SOOTH_FIELD_TEXT)
		json_chars(j, v.text.data, v.text.size);
	else
		json_nothing(j);
}

static void write_threshold(struct json *j, const struct alert_event *e)
{
	if (!e->has_ended)
		json_format(j, "'value':%.*f", (int)e->what->decimals, e->value);
	json_format(j, "'threshold':%.*f,'unit':%s", (int)e->what->decimals, e->threshold,
		e->what->unit);
}

static void write_finding(struct json *j, const struct alert_finding *f)
{
	json_format(j, "'finding':{'id':%s,'severity':%s,'claim':%s,'remedy':%s,'key':%s}", f->id,
		f->severity, f->claim, f->remedy, f->key);
}

/* Writes a finding as it is in JSON, or the activity of the agent. */
static void write_details(struct json *j, const struct alert_event *e)
{
	const struct sooth_field *f = e->row ? sooth_schema_field(e->schema, "activity") : NULL;
	struct sooth_value v;

	if (e->finding) {
		write_finding(j, e->finding);
	} else if (e->key.kind == ALERT_FINDING) {
		json_format(j, "'finding':{");
		json_members(j, e->schema, e->row);
		json_end(j);
	} else if (f) {
		v = sooth_field_get(f, e->row);
		json_key(j, "activity");
		json_value(j, f, &v);
	}
}

static void write_json(struct buffer *out, const struct alert_event *e)
{
	char time[UNITS_SIZE];
	struct json j;

	format_utc(time, clock_realtime_ns());
	json_init(&j, out, 0);
	json_format(&j,
		"{'alert':%s,'state':%s,'time':%s,'pid':%u,'start_ticks':%" PRIu64 ",'name':%s",
		e->alert, e->is_raised ? "raised" : "cleared", time, e->key.pid, e->key.start_ticks,
		e->name);
	text_member(&j, e, "agent");
	text_member(&j, e, "project");
	text_member(&j, e, "session_id");
	json_format(&j, "'has_ended':%i", e->has_ended);
	if (e->what)
		write_threshold(&j, e);
	write_details(&j, e);
	json_end(&j);
	buffer_char(out, '\n');
}

static void describe_alert(struct buffer *line, const struct alert_event *e)
{
	char figure[UNITS_SIZE], limit[UNITS_SIZE];

	if (e->key.pid) {
		buffer_format(line, "process %u (", e->key.pid);
		escape_terminal(line, e->name, strlen(e->name));
		buffer_string(line, e->what || e->key.kind == ALERT_END ? ") " : "): ");
	}
	if (!e->what) {
		escape_terminal(line, e->text, strlen(e->text));
		return;
	}
	if (e->has_ended) {
		buffer_format(line, "exited while its %s was above the threshold", e->alert);
		return;
	}
	if (e->key.kind == ALERT_CPU)
		buffer_format(line, "uses %.1f %% CPU, threshold %.1f %%", e->value, e->threshold);
	else
		buffer_format(line, "has %s resident, threshold %s",
			format_bytes(figure, (uint64_t)e->value),
			format_bytes(limit, (uint64_t)e->threshold));
	if (!e->is_raised)
		buffer_string(line, ": back below the threshold");
}

/* Returns whether the event is only news, and need be no problem. */
static bool is_news(const struct alert_event *e)
{
	return e->key.kind == ALERT_ACTIVITY || e->key.kind == ALERT_END;
}

void alert_emit(struct alerts *a, const struct alert_event *e)
{
	struct buffer line = { 0 }, json = { 0 };

	describe_alert(&line, e);
	if (a->say)
		a->say(a->said_to, buffer_cstr(&line));
	else if (!a->is_silent)
		fprintf(stderr, "sooth: %s: %s\n",
			!e->is_raised ? "cleared"
			: is_news(e)  ? "alert"
				      : "warning",
			buffer_cstr(&line));
	if (a->options.has_bell && e->is_raised)
		alert_bell();
	if (a->options.command) {
		write_json(&json, e);
		alert_run(a, &json);
	}
	if (a->options.has_desktop && e->is_raised)
		alert_notice(a, e, buffer_cstr(&line));
	buffer_fini(&line);
	buffer_fini(&json);
}

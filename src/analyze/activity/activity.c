/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/activity/activity.h"

#include <stdio.h>
#include <string.h>

#include "analyze/activity/activity_tool.h"
#include "analyze/records.h"
#include "base/units.h"

#define STARTS_NS      (5 * NS_PER_S) /* a younger process without a status still starts */
#define COMPUTES_LEAST 50.0	      /* percent of one CPU */

/* One main process, in the making. */
struct finding_activity {
	struct activity *a;
	const struct host_state *host;
	const struct process_entry *main;
	const struct proc_session *session; /* NULL: none came */
	struct activity_tool tool;
	bool has_tool;
};

static void set(struct finding_activity *f, enum activity_state state, enum activity_source source,
	enum activity_confidence confidence)
{
	f->a->state = state;
	f->a->source = source;
	f->a->confidence = confidence;
}

static void set_since(struct finding_activity *f, uint64_t ns)
{
	f->a->has_since = true;
	f->a->since_ns = ns;
}

static void set_since_utc(struct finding_activity *f, uint8_t state, uint64_t utc_ns)
{
	uint64_t now = host_state_utc(f->host);

	if (state == SOOTH_STATE_VALUE && now && utc_ns)
		set_since(f, now > utc_ns ? now - utc_ns : 0);
}

static struct span text_of(const struct finding_activity *f, const struct sooth_text *text)
{
	return f->session ? record_text(&f->session->record, text) : span_of("", 0);
}

static void set_name(struct finding_activity *f, struct span name)
{
	snprintf(f->a->name, sizeof(f->a->name), "%.*s", (int)name.size, name.data);
}

/* --- each state --- */

static bool is_stopped(const struct process_entry *p)
{
	return p->process->state == 'T' || p->process->state == 't' ||
	       p->process->frozen == PROC_FROZEN_YES;
}

static void set_tool(struct finding_activity *f)
{
	const struct activity_tool *tool = &f->tool;

	set(f, ACTIVITY_RUNS_TOOL, ACTIVITY_FROM_PROCESSES, ACTIVITY_HIGH);
	set_since(f, tool->age_ns);
	f->a->pid = (uint32_t)tool->matters->id.pid;
	f->a->is_silent_cpu = tool->is_silent_cpu;
	snprintf(f->a->command, sizeof(f->a->command), "%s", tool->command);
	if (f->session && f->session->tool_state == SOOTH_STATE_VALUE)
		set_name(f, text_of(f, &f->session->tool));
}

/* "permission prompt" is what Claude Code calls it; the question is about a tool. */
static void set_user(struct finding_activity *f)
{
	struct span waiting = text_of(f, &f->session->waiting);
	struct span tool = text_of(f, &f->session->tool);

	set(f, ACTIVITY_WAITS_FOR_USER, ACTIVITY_FROM_SESSION_FILE, ACTIVITY_HIGH);
	set_since_utc(f, f->session->changed_state, f->session->changed_utc_ns);
	if (span_equal(waiting, "permission prompt") && f->session->tool_state == SOOTH_STATE_VALUE)
		snprintf(f->a->name, sizeof(f->a->name), "permission to run %.*s", (int)tool.size,
			tool.data);
	else if (span_equal(waiting, "permission prompt"))
		set_name(f, span_of_string("permission to run a tool"));
	else
		set_name(f, waiting);
}

/* Neither idle nor waiting for its user, by `source`. */
static void set_busy(struct finding_activity *f, enum activity_source source)
{
	if (f->has_tool) {
		set_tool(f);
	} else if (process_table_cpu_percent(f->main) >= COMPUTES_LEAST) {
		set(f, ACTIVITY_COMPUTES, ACTIVITY_FROM_CPU, ACTIVITY_MEDIUM);
	} else {
		set(f, ACTIVITY_WAITS_FOR_MODEL, source, ACTIVITY_MEDIUM);
		if (source == ACTIVITY_FROM_SESSION_FILE)
			set_since_utc(f, f->session->changed_state, f->session->changed_utc_ns);
	}
}

static void set_by_status(struct finding_activity *f, struct span status)
{
	if (span_equal(status, "waiting")) {
		set_user(f);
	} else if (span_equal(status, "idle")) {
		set(f, ACTIVITY_IDLE, ACTIVITY_FROM_SESSION_FILE, ACTIVITY_HIGH);
		set_since_utc(f, f->session->changed_state, f->session->changed_utc_ns);
	} else {
		set_busy(f, ACTIVITY_FROM_SESSION_FILE);
	}
}

/* The agent reports no status. */
static void set_from_outside(struct finding_activity *f)
{
	uint64_t age = activity_age_ns(f->host, f->main);

	if (f->has_tool) {
		set_tool(f);
	} else if (age < STARTS_NS) {
		set(f, ACTIVITY_STARTS, ACTIVITY_FROM_PROCESSES, ACTIVITY_MEDIUM);
		set_since(f, age);
	} else if (process_table_cpu_percent(f->main) >= COMPUTES_LEAST) {
		set(f, ACTIVITY_COMPUTES, ACTIVITY_FROM_CPU, ACTIVITY_MEDIUM);
	} else {
		f->a->unknown_state = SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT);
	}
}

void activity_find(
	struct activity *a, const struct host_state *host, const struct process_entry *main)
{
	struct finding_activity f = {
		.a = a, .host = host, .main = main, .session = main->session
	};

	*a = (struct activity){ .state = ACTIVITY_UNKNOWN };
	if (is_stopped(main)) {
		set(&f, ACTIVITY_STOPPED, ACTIVITY_FROM_PROCESSES, ACTIVITY_HIGH);
		return;
	}
	f.has_tool = activity_tool_find(&f.tool, host, main);
	if (f.session && f.session->status_state == SOOTH_STATE_VALUE)
		set_by_status(&f, text_of(&f, &f.session->status));
	else
		set_from_outside(&f);
}

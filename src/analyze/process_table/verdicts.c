/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts about a resolved process table: each holds, does not hold, or is not measured, with the
 * reason as text. */
#include "analyze/process_table/verdicts.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "analyze/process_table/process_table_resolving.h"
#include "analyze/process_table/process_table_versions.h"
#include "base/units.h"
#include "model/field.h"
#include "recognize/agent_path.h"

#define PID(process) (unsigned long long)(process)->id.pid

__attribute__((format(printf, 2, 3))) static void set_reason(
	struct verdict *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out->why, sizeof(out->why), format, arguments);
	va_end(arguments);
}

static bool is_zombie(const struct process_entry *p)
{
	return p->process->state == 'Z';
}

/* Returns whether the evidence is known; a truncated path counts as known. */
static bool is_reported(struct verdict *out, uint8_t state)
{
	bool is = process_table_state_is_value(state) || (state & 15) == SOOTH_STATE_TRUNCATED;

	out->state = is ? SOOTH_STATE_VALUE : state;
	return is;
}

/* --- orphaned, or left on purpose --- */

static void fill_gone_verdict(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	struct span gone = process_table_text(c, &p->gone);
	const struct process_entry *top = p->linked ? p->linked : p, *parent = top->parent;
	struct span name = parent ? process_table_name(parent) : span_of("", 0);

	if (parent && top != p)
		set_reason(out, "%.*s; descends from %.*s (%llu), now a child of %.*s (%llu)",
			SPAN_ARGS(gone), SPAN_ARGS(process_table_name(top)), PID(top),
			SPAN_ARGS(name), PID(parent));
	else if (parent)
		set_reason(out, "%.*s; now a child of %.*s (%llu)", SPAN_ARGS(gone),
			SPAN_ARGS(name), PID(parent));
	else
		set_reason(out, "%.*s", SPAN_ARGS(gone));
}

static bool set_unknown(const struct process_entry *p, struct verdict *out)
{
	if (!process_table_is_unknown(p))
		return false;
	out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	set_reason(out,
		"permission denied: sooth may not read the program and the environment of the "
		"process");
	return true;
}

/* Returns whether the environment of a main process is unreadable: only that shows which session
 * started it. */
static bool is_above_unread(const struct process_entry *p)
{
	return p->main == p && !p->above && !p->process->is_foreground && p->links &&
	       p->links->markers_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
}

/* Returns whether a daemon keeps the process: it then lives on after the daemon, until the next
 * daemon takes it over. Commands for a user at a terminal, such as "logs", are not kept. */
static bool is_kept_by_daemon(const struct process_entry *p)
{
	const struct agent_part *part =
		p->agent ? agent_path_part(p->agent, process_table_arguments(p)) : NULL;

	return part && (part->role != AGENT_ROLE_HELPER || part->outlives);
}

static void diagnose_gone(const struct process_table *c, const struct process_entry *p,
	bool is_targeted, struct verdict *out)
{
	struct span doubt = process_table_text(c, &p->doubt);

	if (set_unknown(p, out))
		return;
	if (is_zombie(p) || !p->owner_agent) {
		out->state = SOOTH_STATE_ABSENT;
		return;
	}
	if (is_kept_by_daemon(p))
		return;
	if (doubt.size) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED);
		set_reason(out, "%.*s", SPAN_ARGS(doubt));
		return;
	}
	if (!p->is_main_gone && is_above_unread(p)) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		set_reason(out,
			"permission denied: sooth may not read the environment of the process");
		return;
	}
	if (!p->is_main_gone)
		return;
	if (!is_reported(out, p->left_state)) {
		set_reason(out,
			"the agent session is gone; perhaps the process was left on purpose: its "
			"output goes elsewhere, and the leader of its process session has ended "
			"or its open files could not be read");
		return;
	}
	out->holds = is_targeted == !!p->left;
	if (!out->holds)
		return;
	if (is_targeted)
		set_reason(out, "left running on purpose: %.*s",
			SPAN_ARGS(process_table_text(c, &p->left_reason)));
	else
		fill_gone_verdict(c, p, out);
}

static void diagnose_orphaned(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	diagnose_gone(c, p, false, out);
}

static void diagnose_daemon(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	diagnose_gone(c, p, true, out);
}

/* --- MCP servers --- */

static void diagnose_abandoned(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	(void)c;
	if (set_unknown(p, out))
		return;
	if (!p->has_role && p->role_state) {
		out->state = p->role_state;
		set_reason(out,
			"the role of the process is unknown: the process may be an MCP server");
		return;
	}
	switch (p->input) {
	case PROCESS_TABLE_INPUT_NONE:
		out->state = SOOTH_STATE_ABSENT;
		break;
	case PROCESS_TABLE_INPUT_UNKNOWN:
		/* A truncated search found only some holders, which is not enough. */
		out->state = state_is_unmeasured(p->input_state)
				     ? p->input_state
				     : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		set_reason(out, "the process at the other end of its standard input is unknown");
		break;
	case PROCESS_TABLE_INPUT_HELD:
		break;
	case PROCESS_TABLE_INPUT_CLOSED:
		out->holds = true;
		set_reason(out,
			"no process has the other end of its standard input open: no client can "
			"write to it");
		break;
	case PROCESS_TABLE_INPUT_OWN:
		out->holds = true;
		set_reason(out,
			"only the server itself, its descendants or leftovers of ended sessions "
			"have the other end of its standard input open");
		break;
	}
}

static void diagnose_generation(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	struct span name = process_table_text(c, &p->role_name);

	if (!p->generations) {
		out->state = SOOTH_STATE_ABSENT;
		return;
	}
	out->holds = p->newer != NULL;
	if (p->newer)
		set_reason(out,
			"process %u of %u that run the server %.*s for this project; process %llu "
			"is newer",
			p->generation, p->generations, SPAN_ARGS(name), PID(p->newer));
}

struct verdict_generation verdict_generation(
	const struct process_table *c, const struct process_entry *p)
{
	assert(p);
	(void)c;
	return (struct verdict_generation){ p->generation, p->generations };
}

/* --- of any process --- */

static void diagnose_zombie(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	const struct process_entry *parent = p->parent;
	struct span name = parent ? process_table_name(parent) : span_of("", 0);
	const char *blank = name.size ? " " : "";

	(void)c;
	if (!is_zombie(p))
		return;
	out->holds = true;
	if (p->last_ns >= p->zombie_ns + NS_PER_S)
		set_reason(out, "not reaped by its parent%s%.*s (%u) for at least %llu s", blank,
			SPAN_ARGS(name), p->process->ppid,
			(unsigned long long)((p->last_ns - p->zombie_ns) / NS_PER_S));
	else
		set_reason(out, "not reaped by its parent%s%.*s (%u)", blank, SPAN_ARGS(name),
			p->process->ppid);
}

/* Reports a stopped process. SIGSTOP, Ctrl-Z and `sooth freeze` look alike. */
static void diagnose_frozen(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	(void)c;
	if (is_zombie(p)) {
		out->state = SOOTH_STATE_ABSENT;
	} else if (p->process->state == 'T') {
		out->holds = true;
		set_reason(out,
			"the process is stopped by a signal; resume with: sooth thaw --any %llu",
			PID(p));
	} else if (p->process->frozen == PROC_FROZEN_YES) {
		out->holds = true;
		set_reason(out,
			"the control group of the process is frozen; resume with: sooth thaw --any "
			"%llu",
			PID(p));
	} else if (p->process->frozen == PROC_FROZEN_NOT_REPORTED) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	}
}

static void diagnose_outdated(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	struct span version = process_table_version(p), newest;

	if (!p->agent || is_zombie(p)) {
		out->state = SOOTH_STATE_ABSENT;
		return;
	}
	if (!version.size) {
		out->state = SOOTH_NOT_MEASURED(
			p->match.is_covered ? SOOTH_REASON_COVERED : SOOTH_REASON_UNDECIDED);
		set_reason(out, "the version of the running agent is not known");
		return;
	}
	newest = process_table_newest(c, p);
	if (process_table_is_unread(c, p) &&
		(!newest.size || version_compare(version, newest) >= 0)) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED);
		set_reason(out, "reading the installed versions timed out");
	} else if (!newest.size) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED);
		set_reason(out, "no installed version of %s is known", p->agent->title);
	} else if (version_compare(version, newest) < 0) {
		out->holds = true;
		set_reason(out, "runs %.*s; newer %.*s is installed", SPAN_ARGS(version),
			SPAN_ARGS(newest));
	} else if (!process_table_is_searched(c, p)) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNDECIDED);
		set_reason(
			out, "sooth did not search the folder of this installation for versions");
	}
}

static void diagnose_deleted(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	(void)c;
	/* A program that was started from memory never had a file. */
	if (is_zombie(p) ||
		span_starts(process_table_field(&p->process->record, &p->process->executable),
			"/memfd:")) {
		out->state = SOOTH_STATE_ABSENT;
		return;
	}
	if (!is_reported(out, p->process->executable_state))
		return;
	out->holds = p->process->is_deleted;
	if (out->holds)
		set_reason(out,
			"the executable file was removed or replaced after the process started");
}

/* --- all --- */

static const struct {
	const char *name;
	void (*decide)(
		const struct process_table *, const struct process_entry *, struct verdict *);
} verdicts[VERDICTS] = {
	[VERDICT_ORPHANED] = { "orphaned", diagnose_orphaned },
	[VERDICT_DAEMON] = { "daemon", diagnose_daemon },
	[VERDICT_ABANDONED] = { "abandoned", diagnose_abandoned },
	[VERDICT_GENERATION] = { "old-generation", diagnose_generation },
	[VERDICT_ZOMBIE] = { "zombie", diagnose_zombie },
	[VERDICT_FROZEN] = { "frozen", diagnose_frozen },
	[VERDICT_OUTDATED] = { "outdated", diagnose_outdated },
	[VERDICT_DELETED] = { "deleted", diagnose_deleted },
};

void verdict_decide(const struct process_table *c, const struct process_entry *p,
	enum verdict_kind kind, struct verdict *out)
{
	assert(out);
	*out = (struct verdict){ .state = SOOTH_STATE_VALUE };
	if (kind < VERDICTS)
		verdicts[kind].decide(c, p, out);
	else
		out->state = SOOTH_STATE_ABSENT;
}

const char *verdict_name(enum verdict_kind kind)
{
	return kind < VERDICTS ? verdicts[kind].name : "";
}

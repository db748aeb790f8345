/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judgements on a settled census; see verdicts.h. What takes more than one process to see
 * was found when it was settled; here it becomes a claim, a denial, or "not measured", in words.
 */
#include "analyze/process_table/verdicts.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyze/process_table/process_table_resolving.h"
#include "analyze/process_table/process_table_versions.h"
#include "base/units.h"
#include "model/field.h"

#define TEXT(span)   (int)(span).size, (span).data
#define PID(process) (unsigned long long)(process)->id.pid

__attribute__((format(printf, 2, 3))) static void say(struct verdict *out, const char *format, ...)
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

/* Whether what the answer rests on was told; a path that was cut is one. */
static bool is_reported(struct verdict *out, uint8_t state)
{
	bool is = process_table_state_is_value(state) || (state & 15) == SOOTH_STATE_TRUNCATED;

	out->state = is ? SOOTH_STATE_VALUE : state;
	return is;
}

/* --- orphaned, and left on purpose --- */

static void say_gone(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	struct span gone = process_table_text(c, &p->gone);
	const struct process_entry *top = p->tied ? p->tied : p, *parent = top->parent;
	struct span name = parent ? process_table_name(parent) : span_of("", 0);

	if (parent && top != p)
		say(out, "%.*s; belongs to %.*s (%llu), now below %.*s (%llu)", TEXT(gone),
			TEXT(process_table_name(top)), PID(top), TEXT(name), PID(parent));
	else if (parent)
		say(out, "%.*s; now below %.*s (%llu)", TEXT(gone), TEXT(name), PID(parent));
	else
		say(out, "%.*s", TEXT(gone));
}

static bool is_unknown(const struct process_entry *p, struct verdict *out)
{
	if (!process_table_is_unknown(p))
		return false;
	out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	say(out, "who it is and who started it may not be read");
	return true;
}

/* A main process: of which session it is left would stand in its environment alone. */
static bool is_above_unread(const struct process_entry *p)
{
	return p->main == p && !p->above && !p->process->is_foreground && p->links &&
	       p->links->markers_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
}

static void diagnose_gone(const struct process_table *c, const struct process_entry *p,
	bool is_targeted, struct verdict *out)
{
	struct span doubt = process_table_text(c, &p->doubt);

	if (is_unknown(p, out))
		return;
	if (is_zombie(p) || !p->owner_agent) {
		out->state = SOOTH_STATE_ABSENT;
		return;
	}
	if (doubt.size) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		say(out, "%.*s", TEXT(doubt));
		return;
	}
	if (!p->is_main_gone && is_above_unread(p)) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		say(out, "who started it may not be read from its environment");
		return;
	}
	if (!p->is_main_gone)
		return;
	if (!is_reported(out, p->left_state)) {
		say(out, "its session is gone, and whether it was left on purpose cannot be told: "
			 "its streams lead away, but who began its process session has ended, "
			 "or its streams could not be read");
		return;
	}
	out->holds = is_targeted == !!p->left;
	if (!out->holds)
		return;
	if (is_targeted)
		say(out, "left on purpose: %.*s", TEXT(process_table_text(c, &p->left_words)));
	else
		say_gone(c, p, out);
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
	if (is_unknown(p, out))
		return;
	if (!p->has_role && p->role_state) {
		out->state = p->role_state;
		say(out, "whether it is an MCP server was not found out");
		return;
	}
	switch (p->input) {
	case PROCESS_TABLE_INPUT_NONE:
		out->state = SOOTH_STATE_ABSENT;
		break;
	case PROCESS_TABLE_INPUT_UNKNOWN:
		/* A search that was cut has told some: not enough for an answer. */
		out->state = state_is_unmeasured(p->input_state)
				     ? p->input_state
				     : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		say(out, "who holds the other end of its standard input was not found out");
		break;
	case PROCESS_TABLE_INPUT_HELD:
		break;
	case PROCESS_TABLE_INPUT_CLOSED:
		out->holds = true;
		say(out, "nobody holds the other end of its standard input");
		break;
	case PROCESS_TABLE_INPUT_OWN:
		out->holds = true;
		say(out, "nobody but itself, what it started or what is left over holds the other "
			 "end of its standard input");
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
		say(out, "%u of %u processes of %.*s for this project; %llu is newer",
			p->generation, p->generations, TEXT(name), PID(p->newer));
}

struct verdict_generation verdict_generation(
	const struct process_table *c, const struct process_entry *p)
{
	(void)c;
	return (struct verdict_generation){ p->generation, p->generations };
}

/* --- of any process --- */

static void diagnose_zombie(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	const struct process_entry *parent = p->parent;
	struct span name = parent ? process_table_name(parent) : span_of("not told", 8);

	(void)c;
	if (!is_zombie(p))
		return;
	out->holds = true;
	if (p->last_ns >= p->zombie_ns + NS_PER_S)
		say(out, "its parent %.*s (%u) has not asked for its end for at least %llu s",
			TEXT(name), p->process->ppid,
			(unsigned long long)((p->last_ns - p->zombie_ns) / NS_PER_S));
	else
		say(out, "its parent %.*s (%u) has not asked for its end", TEXT(name),
			p->process->ppid);
}

/* By whom is not known: SIGSTOP and Ctrl-Z look alike, and so does `sooth freeze`. */
static void diagnose_frozen(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	(void)c;
	if (is_zombie(p)) {
		out->state = SOOTH_STATE_ABSENT;
	} else if (p->process->state == 'T') {
		out->holds = true;
		say(out, "it was stopped by a signal; `sooth thaw` lets it go on");
	} else if (p->process->frozen == PROC_FROZEN_YES) {
		out->holds = true;
		say(out, "its control group is frozen; `sooth thaw` lets it go on");
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
			p->match.is_covered ? SOOTH_REASON_COVERED : SOOTH_REASON_UNSUPPORTED);
		say(out, "its version is not known");
		return;
	}
	newest = process_table_newest(c, p);
	if (!newest.size) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		say(out, "no installed version of %s is known", p->agent->title);
	} else if (version_compare(version, newest) < 0) {
		out->holds = true;
		say(out, "it is %.*s; %.*s is newer, and installed", TEXT(version), TEXT(newest));
	} else if (!process_table_is_looked_for(c, p)) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		say(out, "versions were not looked for where its own is installed");
	}
}

static void diagnose_deleted(
	const struct process_table *c, const struct process_entry *p, struct verdict *out)
{
	(void)c;
	/* What was started from memory never had a file. */
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
		say(out, "the file it runs was removed or replaced since it started");
}

/* --- all --- */

static const struct {
	const char *name;
	void (*judge)(const struct process_table *, const struct process_entry *, struct verdict *);
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
	*out = (struct verdict){ .state = SOOTH_STATE_VALUE };
	if (kind < VERDICTS)
		verdicts[kind].judge(c, p, out);
	else
		out->state = SOOTH_STATE_ABSENT;
}

const char *verdict_name(enum verdict_kind kind)
{
	return kind < VERDICTS ? verdicts[kind].name : "";
}

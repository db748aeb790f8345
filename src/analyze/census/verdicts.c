/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The judgements on a settled census; see verdicts.h. What takes more than one process to see
 * was found when it was settled; here it becomes a claim, a denial, or "not measured", in words.
 */
#include "analyze/census/verdicts.h"

#include <stdarg.h>
#include <stdio.h>

#include "analyze/census/census_settling.h"
#include "analyze/census/census_versions.h"
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

static bool is_zombie(const struct census_process *p)
{
	return p->process->state == 'Z';
}

/* Whether what the answer rests on was told; a path that was cut is one. */
static bool is_told(struct verdict *out, uint8_t state)
{
	bool is = census_state_is_value(state) || (state & 15) == SOOTH_STATE_TRUNCATED;

	out->state = is ? SOOTH_STATE_VALUE : state;
	return is;
}

/* --- orphaned, and left on purpose --- */

static void say_gone(const struct census *c, const struct census_process *p, struct verdict *out)
{
	struct span gone = census_text(c, &p->gone);
	const struct census_process *top = p->tied ? p->tied : p, *parent = top->parent;
	struct span name = parent ? census_name(parent) : span_of("", 0);

	if (parent && top != p)
		say(out, "%.*s; belongs to %.*s (%llu), now below %.*s (%llu)", TEXT(gone),
			TEXT(census_name(top)), PID(top), TEXT(name), PID(parent));
	else if (parent)
		say(out, "%.*s; now below %.*s (%llu)", TEXT(gone), TEXT(name), PID(parent));
	else
		say(out, "%.*s", TEXT(gone));
}

static bool is_unknown(const struct census_process *p, struct verdict *out)
{
	if (!census_is_unknown(p))
		return false;
	out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	say(out, "who it is and who started it may not be read");
	return true;
}

/* A main process: of which session it is left would stand in its environment alone. */
static bool is_above_unread(const struct census_process *p)
{
	return p->main == p && !p->above && !p->process->is_foreground && p->ties &&
	       p->ties->markers_state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
}

static void judge_gone(
	const struct census *c, const struct census_process *p, bool is_meant, struct verdict *out)
{
	struct span doubt = census_text(c, &p->doubt);

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
	if (!is_told(out, p->left_state)) {
		say(out, "its session is gone, and whether it was left on purpose cannot be told: "
			 "its streams lead away, but who began its process session has ended, "
			 "or its streams could not be read");
		return;
	}
	out->holds = is_meant == !!p->left;
	if (!out->holds)
		return;
	if (is_meant)
		say(out, "left on purpose: %.*s", TEXT(census_text(c, &p->left_words)));
	else
		say_gone(c, p, out);
}

static void judge_orphaned(
	const struct census *c, const struct census_process *p, struct verdict *out)
{
	judge_gone(c, p, false, out);
}

static void judge_daemon(
	const struct census *c, const struct census_process *p, struct verdict *out)
{
	judge_gone(c, p, true, out);
}

/* --- MCP servers --- */

static void judge_abandoned(
	const struct census *c, const struct census_process *p, struct verdict *out)
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
	case CENSUS_INPUT_NONE:
		out->state = SOOTH_STATE_ABSENT;
		break;
	case CENSUS_INPUT_UNKNOWN:
		/* A search that was cut has told some: not enough for an answer. */
		out->state = state_is_unmeasured(p->input_state)
				     ? p->input_state
				     : SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
		say(out, "who holds the other end of its standard input was not found out");
		break;
	case CENSUS_INPUT_HELD:
		break;
	case CENSUS_INPUT_CLOSED:
		out->holds = true;
		say(out, "nobody holds the other end of its standard input");
		break;
	case CENSUS_INPUT_OWN:
		out->holds = true;
		say(out, "nobody but itself, what it started or what is left over holds the other "
			 "end of its standard input");
		break;
	}
}

static void judge_generation(
	const struct census *c, const struct census_process *p, struct verdict *out)
{
	struct span name = census_text(c, &p->role_name);

	if (!p->generations) {
		out->state = SOOTH_STATE_ABSENT;
		return;
	}
	out->holds = p->newer != NULL;
	if (p->newer)
		say(out, "%u of %u processes of %.*s for this project; %llu is newer",
			p->generation, p->generations, TEXT(name), PID(p->newer));
}

struct verdict_generation verdict_generation(const struct census *c, const struct census_process *p)
{
	(void)c;
	return (struct verdict_generation){ p->generation, p->generations };
}

/* --- of any process --- */

static void judge_zombie(
	const struct census *c, const struct census_process *p, struct verdict *out)
{
	const struct census_process *parent = p->parent;
	struct span name = parent ? census_name(parent) : span_of("not told", 8);

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
static void judge_frozen(
	const struct census *c, const struct census_process *p, struct verdict *out)
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
	} else if (p->process->frozen == PROC_FROZEN_NOT_TOLD) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	}
}

static void judge_outdated(
	const struct census *c, const struct census_process *p, struct verdict *out)
{
	struct span version = census_version(p), newest;

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
	newest = census_newest(c, p);
	if (!newest.size) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		say(out, "no installed version of %s is known", p->agent->title);
	} else if (version_compare(version, newest) < 0) {
		out->holds = true;
		say(out, "it is %.*s; %.*s is newer, and installed", TEXT(version), TEXT(newest));
	} else if (!census_is_looked_for(c, p)) {
		out->state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		say(out, "versions were not looked for where its own is installed");
	}
}

static void judge_deleted(
	const struct census *c, const struct census_process *p, struct verdict *out)
{
	(void)c;
	/* What was started from memory never had a file. */
	if (is_zombie(p) || span_starts(census_field(&p->process->record, &p->process->executable),
				    "/memfd:")) {
		out->state = SOOTH_STATE_ABSENT;
		return;
	}
	if (!is_told(out, p->process->executable_state))
		return;
	out->holds = p->process->is_deleted;
	if (out->holds)
		say(out, "the file it runs was removed or replaced since it started");
}

/* --- all --- */

static const struct {
	const char *name;
	void (*judge)(const struct census *, const struct census_process *, struct verdict *);
} verdicts[VERDICTS] = {
	[VERDICT_ORPHANED] = { "orphaned", judge_orphaned },
	[VERDICT_DAEMON] = { "daemon", judge_daemon },
	[VERDICT_ABANDONED] = { "abandoned", judge_abandoned },
	[VERDICT_GENERATION] = { "old-generation", judge_generation },
	[VERDICT_ZOMBIE] = { "zombie", judge_zombie },
	[VERDICT_FROZEN] = { "frozen", judge_frozen },
	[VERDICT_OUTDATED] = { "outdated", judge_outdated },
	[VERDICT_DELETED] = { "deleted", judge_deleted },
};

void verdict_judge(const struct census *c, const struct census_process *p, enum verdict_kind kind,
	struct verdict *out)
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

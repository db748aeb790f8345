/* SPDX-License-Identifier: BSD-2-Clause */
/* Short texts. */
#include "cli/top/text.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sentence_units.h"

#include <string.h>

#define DEPTH_SHOWN 8

const char *top_age(char out[24], double seconds)
{
	unsigned long s = seconds > 0 && seconds < 1e12 ? (unsigned long)seconds : 0;

	if (s < 60)
		snprintf(out, 24, "%lus", s);
	else if (s < 600)
		snprintf(out, 24, "%lum%02lus", s / 60, s % 60);
	else if (s < 3600)
		snprintf(out, 24, "%lum", s / 60);
	else if (s < 36000)
		snprintf(out, 24, "%luh%02lum", s / 3600, s / 60 % 60);
	else if (s < 172800)
		snprintf(out, 24, "%luh", s / 3600);
	else
		snprintf(out, 24, "%lud", s / 86400);
	return out;
}

const char *top_ago(char out[UNITS_SIZE], double seconds)
{
	uint64_t s = seconds > 0 && seconds < 1e9 ? (uint64_t)seconds : 0;

	return s ? sentence_duration(out, s * NS_PER_S) : strcpy(out, "0 s");
}

const char *top_put_interval(char out[24], uint64_t interval_ns)
{
	snprintf(out, 24, "%gs", (double)interval_ns / (double)NS_PER_S);
	return out;
}

const char *top_put_count(char out[24], double count)
{
	if (count < 1000)
		snprintf(out, 24, "%.0f", count);
	else if (count < 100e3)
		snprintf(out, 24, "%.1fk", count / 1e3);
	else if (count < 1e6)
		snprintf(out, 24, "%.0fk", count / 1e3);
	else
		snprintf(out, 24, "%.1fM", count / 1e6);
	return out;
}

unsigned top_age_style(const struct top_session *s)
{
	const struct top_doing *d = &top_doings[s->doing];

	/* An answer that comes may take long. */
	if (s->urgency == URGENCY_MODEL)
		return TOP_DIM;
	if (d->worry_s && s->since_s >= d->worry_s)
		return TOP_STYLED(TOP_ALARM, TOP_BOLD);
	if (d->look_s && s->since_s >= d->look_s)
		return TOP_HIGH;
	return TOP_DIM;
}

/* Returns the style of an activity. A session that waits for its user is the loudest. */
unsigned top_doing_style(const struct top_session *s)
{
	const struct top_doing *d = &top_doings[s->doing];

	if (d->style == TOP_FOR_USER)
		return TOP_STYLED(d->style, TOP_BOLD | TOP_REVERSE);
	/* No CPU, no output: it is not as well as the color of tools says. */
	return strstr(s->flags, "SILENT") ? TOP_MIDDLE : d->style;
}

unsigned top_finding_style(uint8_t level)
{
	return level >= 4 ? TOP_STYLED(TOP_ALARM, TOP_BOLD) : level == 3 ? TOP_HIGH : TOP_MIDDLE;
}

unsigned top_project_style(const struct top_session *s)
{
	return s->finding_level >= 2 ? top_finding_style(s->finding_level) : TOP_TEXT;
}

void top_tree_name(const struct top *t, const struct top_row *row, char *out, size_t size)
{
	unsigned depth = row->depth < DEPTH_SHOWN ? row->depth : DEPTH_SHOWN;
	const char *sign = row->has_below ? row->is_unfolded ? "-" : "+" : "";
	char name[80] = "", before[2 * DEPTH_SHOWN + 1];

	top_word(t->model.schema, "name", row->process->row, name, sizeof(name));
	memset(before, ' ', sizeof(before));
	before[depth ? (depth - 1) * 2 : 0] = '\0';
	snprintf(out, size, "%s%s%s%s%s", before,
		!depth		    ? ""
		: t->canvas.is_utf8 ? "\u2514 "
				    : "` ",
		sign, *sign ? " " : "", name);
}

/* Without the end of the session, the age of what it left says since when it may have ended. */
void top_left_sentence(const struct top *t, const struct top_process *p, char *out, size_t size)
{
	const struct top_session *s = top_session_that_left(&t->model, p);
	char agent[32], id[9], project[96], age[UNITS_SIZE];
	double is_orphaned = 0, elapsed_s = 0;

	top_number(t->model.schema, "is_orphaned", p->row, &is_orphaned);
	top_number(t->model.schema, "elapsed_s", p->row, &elapsed_s);
	top_word(t->model.schema, "session_agent", p->row, agent, sizeof(agent));
	top_word(t->model.schema, "session_id", p->row, id, sizeof(id));
	top_word(t->model.schema, "project", p->row, project, sizeof(project));
	if (is_orphaned <= 0) {
		snprintf(out, size, "of no running session%s%s", *project ? ": " : "", project);
		return;
	}
	snprintf(out, size, "left by %s session%s%s%s%s, ended %s%s ago%s%s", agent, *id ? " " : "",
		id, *project ? " in " : "", project, s ? "" : "at most ",
		top_ago(age, s ? t->model.last_s - s->seen_s : elapsed_s),
		s && s->task[0] ? ": " : "", s ? s->task : "");
}

const char *top_finding_word(const char *name)
{
	static const char *const words[][2] = { { "orphan", "ORPHANED" },
		{ "mcp-abandoned", "ABANDONED" } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(name, words[i][0]))
			return words[i][1];
	}
	return name;
}

#define AGE_LEAST_NS (15 * NS_PER_S)

void top_finding_line(const struct top *t, const struct top_finding *f, char *out, size_t size)
{
	bool is_cause = !f->answer_key[0] || top_finding_is(f, f->answer_key);
	char place[128];

	if (is_cause && f->answer[0]) {
		snprintf(out, size, "%s  %s", top_finding_word(f->name), f->answer);
		return;
	}
	top_finding_place(t, f, place, sizeof(place));
	snprintf(out, size, "%s  %s: %s", top_finding_word(f->name), place, f->claim);
}

void top_finding_sentence(const struct top *t, const struct top_finding *f, char *out, size_t size)
{
	uint64_t age_ns = clock_monotonic_ns() - f->seen_ns;
	bool is_old = f->seen_ns && age_ns >= AGE_LEAST_NS;
	char text[448], age[UNITS_SIZE];

	top_finding_line(t, f, text, sizeof(text));
	snprintf(out, size, "%s%s%s%s", text, is_old ? " (" : "",
		is_old ? top_ago(age, (double)age_ns / NS_PER_S) : "", is_old ? " ago)" : "");
}

void top_finding_place(const struct top *t, const struct top_finding *f, char *out, size_t size)
{
	const struct top_process *p = top_process_find(&t->model, &f->id);

	if (p && p->session)
		snprintf(out, size, "%s (%u)", p->session->project, f->id.pid);
	else if (f->id.pid)
		snprintf(out, size, "%u", f->id.pid);
	else
		snprintf(out, size, "the host");
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The activities of a session, a line for each, the last one first. */
#include "cli/top/timeline.h"

#include <stdio.h>

#include "base/units.h"
#include "cli/top/text.h"

unsigned top_timeline_phases(const struct top_session *s)
{
	return s->phase_count < TOP_PHASES_MAX ? s->phase_count : TOP_PHASES_MAX;
}

void top_timeline_phase(const struct top *t, const struct top_session *s, unsigned i,
	struct top_timeline_line *line)
{
	const struct top_phase *p = &s->phases[(s->phase_count - 1 - i) % TOP_PHASES_MAX];
	double end = i ? s->phases[(s->phase_count - i) % TOP_PHASES_MAX].begin_s : s->seen_s;
	time_t begin = t->model.frame.seen_at.tv_sec - (time_t)(t->model.last_s - p->begin_s);
	struct tm tm;

	line->clock[0] = '\0';
	if (localtime_r(&begin, &tm))
		strftime(line->clock, sizeof(line->clock), "%H:%M:%S", &tm);
	top_age(line->length, end - p->begin_s);
	line->doing = p->doing;
	line->text = p->text[0] ? p->text : top_doings[p->doing].word;
}

static void write_phase(
	struct buffer *out, const struct top *t, const struct top_session *s, unsigned i)
{
	struct top_timeline_line line;

	top_timeline_phase(t, s, i, &line);
	buffer_format(out, "%s  %6s  %s\n", line.clock, line.length, line.text);
}

static void write_shares(struct buffer *out, const struct top_session *s)
{
	unsigned counts[TOP_DOINGS] = { 0 };

	for (unsigned i = 0; i < s->doings.count; i++)
		counts[(unsigned)recent_at(&s->doings, i) % TOP_DOINGS]++;
	for (unsigned i = 0; i < TOP_DOINGS; i++) {
		if (counts[i])
			buffer_format(out, "%3u %%  %s\n", counts[i] * 100 / s->doings.count,
				top_doings[i].word);
	}
}

void top_timeline_write(struct top *t)
{
	struct buffer out = { 0 };
	struct top_session *s;
	size_t position = 0;

	while ((s = top_session_next(&t->model, &position))) {
		unsigned kept = top_timeline_phases(s);

		if (s->id.pid != t->pane.id.pid || s->id.start_ticks != t->pane.id.start_ticks)
			continue;
		buffer_string(&out, "since sooth top began, the last activity first\n\n");
		for (unsigned i = 0; i < kept; i++)
			write_phase(&out, t, s, i);
		buffer_string(&out, "\nshares of the frames on display\n\n");
		write_shares(&out, s);
		buffer_format(
			&out, "\nlonger than this: sooth timeline --last 24h %s\n", s->session);
	}
	if (!out.size)
		buffer_string(&out, "this process is not the main one of a session: only sessions "
				    "have activities");
	top_pane_set_text(&t->pane, buffer_cstr(&out));
	buffer_fini(&out);
}

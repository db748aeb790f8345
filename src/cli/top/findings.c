/* SPDX-License-Identifier: BSD-2-Clause */
/* Collects and sorts findings. */
#include "cli/top/findings.h"

#include <stdio.h>

static void write_advice(const struct top_session *s, struct top_finding *f)
{
	if (s->urgency == URGENCY_NEEDS_YOU && s->terminal[0])
		snprintf(f->remedy, sizeof(f->remedy), "answer in its terminal, %s", s->terminal);
	else if (s->urgency == URGENCY_SILENT)
		snprintf(
			f->remedy, sizeof(f->remedy), "what it waits for: sooth why %u", s->id.pid);
}

void top_findings_note(struct top *t)
{
	size_t position = 0;

	t->note_count = 0;
	for (const struct top_session *s;
		(s = top_session_next(&t->model, &position)) && t->note_count < TOP_NOTES_MAX;) {
		struct top_finding *f = &t->notes[t->note_count];
		bool needs_user = s->urgency == URGENCY_NEEDS_YOU;

		if (!top_session_is_noted(s))
			continue;
		*f = (struct top_finding){ .id = s->id,
			.level = needs_user ? TOP_LEVEL_SICK : TOP_LEVEL_SICK - 1 };
		snprintf(f->name, sizeof(f->name), "%.47s", s->flags);
		snprintf(f->key, sizeof(f->key), "%s:%u@%llu", s->flags, s->id.pid,
			(unsigned long long)s->id.start_ticks);
		snprintf(f->answer, sizeof(f->answer), "%s %u (%s): %.170s", s->agent, s->id.pid,
			s->project, s->doing_text);
		write_advice(s, f);
		t->note_count++;
	}
}

static bool is_hidden(const struct top *t, const struct top_finding *f)
{
	const struct top_process *p = top_process_find(&t->model, &f->id);

	buffer_each_while (const struct top_row, row, &t->rows, t->hidden && f->id.pid) {
		if (process_id_equal(&row->id, &f->id) ||
			(p && p->session && row->session == p->session))
			return false;
	}
	return t->hidden && f->id.pid;
}

size_t top_findings_sorted(
	const struct top *t, const struct top_finding *all[FINDINGS_MAX], size_t *hidden)
{
	size_t count = 0;

	*hidden = 0;
	for (size_t i = 0; i < t->note_count + t->finder.count && count < FINDINGS_MAX; i++) {
		const struct top_finding *f =
			i < t->note_count ? &t->notes[i] : &t->finder.findings[i - t->note_count];
		size_t at = count;

		if (finder_is_effect(&t->finder, f))
			continue;
		if (is_hidden(t, f)) {
			++*hidden;
			continue;
		}
		count++;
		for (; at && all[at - 1]->level < f->level; at--)
			all[at] = all[at - 1];
		all[at] = f;
	}
	return count;
}

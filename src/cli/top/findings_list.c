/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows the list of findings. Findings come and go, so the selected one is kept by its key. */
#include "cli/top/findings_list.h"

#include <stdio.h>
#include <string.h>

#include "cli/top/draw.h"
#include "cli/top/findings.h"
#include "cli/top/keys_pane.h"
#include "cli/top/text.h"

#define SENTENCE_ROWS 3

static size_t find_selected(const struct top *t, const struct top_finding *const *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (top_finding_is(all[i], t->finding_key))
			return i;
	}
	return 0;
}

static void select_finding(struct top *t, const struct top_finding *f)
{
	snprintf(t->finding_key, sizeof(t->finding_key), "%s", f->key);
}

void top_findings_open(struct top *t)
{
	const struct top_finding *all[FINDINGS_MAX];
	size_t hidden;

	if (!top_findings_sorted(t, all, &hidden)) {
		top_say(t, !t->options.findings_ns ? "nothing is diagnosed: --no-findings"
			   : t->replay ? "a replay is not diagnosed: sooth diagnose FILE.sooth"
			   : !t->finder.has_first ? "the first diagnosis is not complete yet"
			   : hidden ? "no finding of these rows; Escape ends the filter"
				    : "no findings");
		return;
	}
	select_finding(t, all[0]);
	t->mode = TOP_FINDINGS;
}

void top_findings_handle_key(struct top *t, int key)
{
	const struct top_finding *all[FINDINGS_MAX];
	size_t hidden, count = top_findings_sorted(t, all, &hidden),
		       at = find_selected(t, all, count);

	if (!count || key == TOP_KEY_ESCAPE || key == 'q' || key == 'w' || key == TOP_KEY_LEFT) {
		t->mode = TOP_LIST;
		return;
	}
	if (key == TOP_KEY_DOWN || key == 'j')
		select_finding(t, all[at + 1 < count ? at + 1 : at]);
	else if (key == TOP_KEY_UP || key == 'k')
		select_finding(t, all[at ? at - 1 : 0]);
	else if (key == TOP_KEY_HOME || key == 'g')
		select_finding(t, all[0]);
	else if (key == TOP_KEY_END || key == 'G')
		select_finding(t, all[count - 1]);
	else if (key == TOP_KEY_ENTER || key == '\r' || key == 'd' || key == TOP_KEY_RIGHT)
		top_open_finding(t, all[at]);
	else
		top_say(t, "Enter diagnoses it, Escape leads back to the list");
}

void top_findings_draw(struct top *t)
{
	const struct top_finding *all[FINDINGS_MAX];
	struct canvas *c = &t->canvas;
	size_t hidden, count = top_findings_sorted(t, all, &hidden),
		       at = find_selected(t, all, count), first;
	int rows = (int)count + 3 + SENTENCE_ROWS;
	int columns = c->columns > 8 ? c->columns - 4 : c->columns;
	struct canvas_area in;
	char text[512], title[48];

	rows = rows < c->rows ? rows : c->rows;
	if (!count || rows < 3 || columns < 8)
		return;
	snprintf(title, sizeof(title), "%zu finding%s", count, count == 1 ? "" : "s");
	in = canvas_box(c,
		(struct canvas_area){
			(c->rows - rows) / 2, (c->columns - columns) / 2, rows, columns },
		title);
	rows = in.rows > SENTENCE_ROWS + 1 ? in.rows - SENTENCE_ROWS - 1 : in.rows;
	first = at >= (size_t)rows ? at - (size_t)rows + 1 : 0;
	for (size_t i = first; i < count && i < first + (size_t)rows; i++) {
		int y = in.y + (int)(i - first);

		top_finding_sentence(t, all[i], text, sizeof(text));
		canvas_put(c, y, in.x + 1, in.columns - 2, top_finding_style(all[i]->level), text);
		if (i == at)
			canvas_mark(c, y, in.x, in.columns, TOP_PICKED);
	}
	if (rows == in.rows)
		return;
	/* The list cuts it. */
	canvas_put_words(c,
		(struct canvas_area){ in.y + rows, in.x + 1, SENTENCE_ROWS, in.columns - 2 },
		TOP_TEXT, all[at]->claim);
	canvas_put(c, in.y + in.rows - 1, in.x + 1, in.columns - 2, TOP_DIM,
		"Enter: diagnose the process   Escape: back");
}

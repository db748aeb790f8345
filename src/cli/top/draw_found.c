/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws the findings in full, each with its remedy, if the list is short. */
#include <stdio.h>
#include <string.h>

#include "cli/screen/text_width.h"
#include "cli/top/draw.h"
#include "cli/top/findings.h"
#include "cli/top/text.h"

#define FROM_COLUMNS 60
#define LEAST_ROWS   4 /* a frame with a sentence and a remedy */
#define MOST_ROWS    14
#define CLAIM_ROWS   3
#define FRAME	     4 /* columns beside the text */
#define INDENT	     2

static int rows_of(const struct top *t, const struct top_finding *f, int columns)
{
	char text[512];
	size_t size, at = 0;
	int rows = 0;

	top_finding_sentence(t, f, text, sizeof(text));
	size = strlen(text);
	for (; at < size && rows < CLAIM_ROWS; rows++) {
		at += text_row_of_words(t->canvas.is_utf8, text + at, size - at, columns - FRAME);
		at += strspn(text + at, " ");
	}
	return rows + (f->remedy[0] != '\0');
}

bool top_found_is_whole(const struct top *t, int rows, int columns)
{
	const struct top_finding *all[FINDINGS_MAX];
	size_t hidden, count = top_findings_sorted(t, all, &hidden);

	for (size_t i = 0; i < count && rows > 0; i++)
		rows -= rows_of(t, all[i], columns);
	return rows >= 2;
}

int top_found_rows(const struct top *t, int room, int columns)
{
	const struct top_finding *all[FINDINGS_MAX];
	size_t hidden, count = top_findings_sorted(t, all, &hidden);
	/* The heading, and an empty row below the list. */
	long free_rows = room - (long)top_lines(t, 0, top_row_count(t)) - 2;
	int rows = 2;

	if (!count || columns < FROM_COLUMNS || free_rows < LEAST_ROWS)
		return 0;
	for (size_t i = 0; i < count && rows + rows_of(t, all[i], columns) <= MOST_ROWS; i++) {
		if (rows + rows_of(t, all[i], columns) > free_rows)
			break;
		rows += rows_of(t, all[i], columns);
	}
	return rows > 2 ? rows : 0;
}

static void put_remedy(struct top *t, struct canvas_area a, const char *remedy)
{
	canvas_format(&t->canvas, a.y, a.x + INDENT, a.columns - INDENT, TOP_TEXT, "%s", remedy);
}

void top_draw_found(struct top *t, struct canvas_area a)
{
	const struct top_finding *all[FINDINGS_MAX];
	size_t hidden, shown = 0, count = top_findings_sorted(t, all, &hidden);
	struct canvas_area in = canvas_box(&t->canvas, a, NULL);
	char text[512], title[128], more[48] = "";
	int end = in.y + in.rows;

	in.x++;
	in.columns -= 2;
	for (; shown < count && in.y + rows_of(t, all[shown], a.columns) <= end; shown++) {
		in.rows = CLAIM_ROWS;
		top_finding_sentence(t, all[shown], text, sizeof(text));
		in.y += canvas_put_words(
			&t->canvas, in, top_finding_style(all[shown]->level), text);
		if (all[shown]->remedy[0])
			put_remedy(t, (struct canvas_area){ in.y++, in.x, 1, in.columns },
				all[shown]->remedy);
	}
	if (hidden)
		snprintf(more, sizeof(more), "; %zu more in hidden rows", hidden);
	if (shown < count)
		snprintf(title, sizeof(title), " findings: %zu of %zu, w lists all%s ", shown,
			count, more);
	else
		snprintf(title, sizeof(title), " %zu finding%s: w selects one%s ", count,
			count == 1 ? "" : "s", more);
	canvas_put(&t->canvas, a.y, a.x + 2, a.columns - 4, TOP_STYLED(TOP_TITLE, TOP_BOLD), title);
}

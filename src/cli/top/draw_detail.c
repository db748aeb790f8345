/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws the selected session in detail, with its processes and its last minutes, if there is
 * room. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/top/draw.h"
#include "cli/top/text.h"
#include "cli/top/timeline.h"

#define FROM_ROWS    38
#define FROM_COLUMNS 100
#define MOST_ROWS    16
#define LABEL	     17 /* columns of a graph for its name and its current value */
#define NAME	     9
#define GRAPH_ROWS   8 /* most rows of a graph */
#define PHASES_FROM  4 /* rows: a heading and some of them */

int top_detail_rows(const struct top *t)
{
	const struct top_row *row = top_picked(t);
	int rows = t->canvas.rows / 3;

	if (t->canvas.rows < FROM_ROWS || t->canvas.columns < FROM_COLUMNS || !row || !row->session)
		return 0;
	return rows < MOST_ROWS ? rows : MOST_ROWS;
}

static void put_process(struct top *t, const struct top_process *p, int y, int x, int room)
{
	struct canvas *c = &t->canvas;
	char role[32], command[512], memory[UNITS_SIZE];

	top_word(t->model.schema, "role", p->row, role, sizeof(role));
	if (!top_word(t->model.schema, "command", p->row, command, sizeof(command)))
		top_word(t->model.schema, "name", p->row, command, sizeof(command));
	canvas_format(c, y, x, 7, TOP_DIM, "%7u", p->id.pid);
	canvas_put(c, y, x + 8, 9, TOP_TOOL, role);
	if (p->has_cpu)
		canvas_format(c, y, x + 18, 6, TOP_TEXT, "%6.1f", p->cpu_percent);
	canvas_put_right(c, y, x + 25, 6, TOP_TEXT, format_bytes(memory, (uint64_t)p->rss_bytes));
	canvas_put(c, y, x + 32, room - 32, TOP_TEXT, command);
}

static void put_processes(struct top *t, const struct top_session *s, struct canvas_area a)
{
	size_t left_out = 0;
	int y = a.y;

	canvas_format(&t->canvas, y++, a.x, a.columns, TOP_HEADING, "%7s %-9s %6s %6s %s", "PID",
		"ROLE", "CPU%", "MEM", "COMMAND");
	buffer_each (const struct top_process, p, &t->model.processes) {
		if (p->session != s)
			continue;
		if (y < a.y + a.rows)
			put_process(t, p, y++, a.x, a.columns);
		else
			left_out++;
	}
	if (left_out)
		canvas_format(&t->canvas, a.y + a.rows - 1, a.x, a.columns, TOP_DIM,
			"%zu more: Enter unfolds them", left_out + 1);
}

/* Draws the activities, the last one first. */
static void put_phases(struct top *t, const struct top_session *s, struct canvas_area a)
{
	struct canvas *c = &t->canvas;
	unsigned count = top_timeline_phases(s);

	canvas_format(
		c, a.y, a.x, a.columns, TOP_HEADING, "%8s %6s %s", "SINCE", "FOR", "ACTIVITY");
	for (int i = 0; i + 1 < a.rows && (unsigned)i < count; i++) {
		struct top_timeline_line line;
		int y = a.y + 1 + i;

		top_timeline_phase(t, s, (unsigned)i, &line);
		canvas_put(c, y, a.x, 8, TOP_DIM, line.clock);
		canvas_put_right(c, y, a.x + 9, 6, TOP_TEXT, line.length);
		canvas_put(c, y, a.x + 16, a.columns - 16, top_doings[line.doing].style, line.text);
	}
}

/* Draws the processes of the session, and its activities in the free room. */
static void put_left(struct top *t, const struct top_session *s, struct canvas_area a)
{
	int processes = (int)s->processes + 1;

	if (a.rows - processes - 1 < PHASES_FROM) {
		put_processes(t, s, a);
		return;
	}
	put_processes(t, s, (struct canvas_area){ a.y, a.x, processes, a.columns });
	put_phases(t, s,
		(struct canvas_area){
			a.y + processes + 1, a.x, a.rows - processes - 1, a.columns });
}

/* Draws a value; without a unit it is in percent. */
static void put_value(struct top *t, double value, const char *unit, struct canvas_area a)
{
	char bytes[UNITS_SIZE], text[UNITS_SIZE + 8];

	if (isnan(value))
		return;
	if (unit)
		snprintf(text, sizeof(text), "%s%s", format_bytes(bytes, (uint64_t)value), unit);
	else
		snprintf(text, sizeof(text), "%.1f%%", value);
	canvas_put_right(&t->canvas, a.y, a.x, a.columns, value > 0 ? TOP_TEXT : TOP_DIM, text);
}

static void put_graphs(struct top *t, const struct top_session *s, struct canvas_area a)
{
	const struct {
		const char *name, *unit;
		const struct recent *values;
		const struct graph_scale *scale;
		double least;
	} lines[] = { { "cpu", NULL, &s->cpu, &graph_cpu, 100 },
		{ "memory", "", &s->rss, &graph_memory, 1 },
		{ "received", "/s", &s->received, &graph_received, 1 },
		{ "sent", "/s", &s->sent, &graph_sent, 1 } };
	int rows = (a.rows - 1) / 4, y = a.y;

	rows = rows < GRAPH_ROWS ? rows : GRAPH_ROWS;

	canvas_put(&t->canvas, y, a.x, LABEL, TOP_DIM, "activity");
	top_draw_strip(t, s, (struct canvas_area){ y++, a.x + LABEL, 1, a.columns - LABEL });
	for (size_t i = 0; i < 4 && rows; i++, y += rows) {
		struct graph_scale scale = *lines[i].scale;
		double most = recent_most(lines[i].values, (unsigned)a.columns * 2);

		scale.top = most > lines[i].least ? most : lines[i].least;
		if (lines[i].values == &s->rss)
			graph_zoom(&scale, lines[i].values, a.columns - LABEL);
		canvas_put(&t->canvas, y + rows - 1, a.x, NAME, TOP_DIM, lines[i].name);
		put_value(t, recent_last(lines[i].values), lines[i].unit,
			(struct canvas_area){ y + rows - 1, a.x + NAME, 1, LABEL - NAME - 1 });
		graph_draw(&t->canvas,
			(struct canvas_area){ y, a.x + LABEL, rows, a.columns - LABEL }, t->graphs,
			lines[i].values, &scale);
	}
}

static int put_facts(struct top *t, const struct top_session *s, struct canvas_area a)
{
	struct canvas *c = &t->canvas;
	char context[24], in[24], out[24], age[24] = "";
	int x = a.x, y = a.y;

	if (s->has_since)
		top_age(age, s->since_s);
	x += canvas_put(c, y, x, a.columns, top_doing_style(s), s->doing_text) + 2;
	canvas_format(c, y++, x, a.x + a.columns - x, top_age_style(s), "%s", age);
	x = a.x + canvas_format(c, y, a.x, a.columns, TOP_TEXT, "%s", s->model) + 2;
	if (s->has_context)
		x += canvas_format(c, y, x, a.x + a.columns - x, TOP_TEXT, "context %s",
			     top_put_count(context, s->context_tokens)) +
		     2;
	if (s->has_window)
		x += canvas_format(c, y, x, a.x + a.columns - x, TOP_TEXT, "(%.0f%%)",
			     s->context_percent) +
		     2;
	if (s->quota_percent >= 0)
		x += canvas_format(c, y, x, a.x + a.columns - x, TOP_TEXT, "quota used %.0f%%",
			     s->quota_percent) +
		     2;
	if (s->has_tokens)
		x += canvas_format(c, y, x, a.x + a.columns - x, TOP_DIM, "tokens in %s, out %s",
			     top_put_count(in, s->input_tokens),
			     top_put_count(out, s->output_tokens)) +
		     2;
	canvas_format(c, y++, x, a.x + a.columns - x, TOP_DIM, "session %s  version %s%s%s%s%s",
		s->session, s->version, s->terminal[0] ? "  on " : "", s->terminal,
		s->branch[0] ? "  branch " : "", s->branch);
	if (s->mcp[0])
		canvas_put(c, y++, a.x, a.columns, TOP_DIM, s->mcp);
	if (s->finding[0])
		y += canvas_put_words(c, (struct canvas_area){ y, a.x, 2, a.columns },
			top_finding_style(s->finding_level), s->finding);
	return y - a.y;
}

void top_draw_detail(struct top *t, struct canvas_area a)
{
	const struct top_session *s = top_picked(t)->session;
	struct canvas_area in;
	char title[320];
	int used, half;

	snprintf(title, sizeof(title), "%u %s %s%s%s", s->id.pid, s->agent, s->project,
		s->task[0] ? ": " : "", s->task);
	in = canvas_box(&t->canvas, a, title);
	in.x++;
	in.columns -= 2;
	used = put_facts(t, s, in);
	in.y += used;
	in.rows -= used;
	half = in.columns * 3 / 5;
	if (in.rows < 3)
		return;
	put_left(t, s, (struct canvas_area){ in.y, in.x, in.rows, half - 2 });
	put_graphs(t, s, (struct canvas_area){ in.y, in.x + half, in.rows, in.columns - half });
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Draws the head: the host now and over the last minutes, and the agents by their activities. */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "cli/top/draw.h"
#include "cli/top/findings.h"
#include "cli/top/text.h"

#define SMALL_ROWS   5
#define LARGE_ROWS   10
#define LARGE_FROM_Y 36
#define LARGE_FROM_X 100

int top_head_rows(const struct top *t)
{
	if (t->canvas.rows >= LARGE_FROM_Y && t->canvas.columns >= LARGE_FROM_X)
		return LARGE_ROWS;
	return t->canvas.rows >= 16 ? SMALL_ROWS : t->canvas.rows >= 8 ? 2 : 1;
}

/* --- pieces --- */

static void put_title(struct top *t, int y, int x, int room)
{
	struct canvas *c = &t->canvas;
	char clock[32] = "", every[24], right[96];
	struct tm tm;
	int used, taken;

	if (t->model.frames && localtime_r(&t->model.frame.seen_at.tv_sec, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	if (t->replay)
		snprintf(right, sizeof(right), "%s  frame %zu of %zu", t->replay->time,
			t->replay->at + 1, t->replay->count);
	else
		snprintf(right, sizeof(right), "%s%s  every %s", t->is_held ? "PAUSED  " : "",
			clock, top_put_interval(every, t->interval_ns));
	taken = canvas_width(c, right);
	used = canvas_put(c, y, x, room, TOP_STYLED(TOP_TITLE, TOP_BOLD), "sooth top");
	used += canvas_format(
		c, y, x + used, room - used - taken - 1, TOP_TEXT, "  %s", t->model.host.name);
	if (t->match.text[0])
		used += canvas_format(c, y, x + used, room - used - taken - 1,
			TOP_STYLED(TOP_HIGH, TOP_REVERSE), "  filter: %s (%zu hidden; Esc) ",
			t->match.text, t->hidden);
	if (t->model.host.uptime_s > 0 && room > 60) {
		char up[24];

		used += canvas_format(c, y, x + used, room - used - taken - 1, TOP_DIM, "  up %s",
			top_age(up, t->model.host.uptime_s));
	}
	if (t->match.user[0])
		used += canvas_format(c, y, x + used, room - used - taken - 1, TOP_HIGH,
			"  user: %s", t->match.user);
	if (room > used + taken)
		canvas_put(c, y, x + room - taken, taken, t->is_held ? TOP_HIGH : TOP_DIM, right);
}

static int put_share(
	struct top *t, int y, int x, int room, const char *name, bool has, double percent)
{
	struct canvas *c = &t->canvas;
	int used = canvas_format(c, y, x, room, TOP_DIM, "%s ", name);

	if (!has)
		return used + canvas_put(c, y, x + used, room - used, TOP_DIM, "?  ");
	used += canvas_format(c, y, x + used, room - used, graph_style(&graph_percent, percent * 2),
		"%.0f%%", percent);
	return used + 2;
}

static int put_load(struct top *t, int y, int x, int room)
{
	const struct top_host *h = &t->model.host;
	int used = canvas_put(&t->canvas, y, x, room, TOP_DIM, "load ");

	if (!h->has_load)
		return used + canvas_put(&t->canvas, y, x + used, room - used, TOP_DIM, "?  ");
	return used + canvas_format(&t->canvas, y, x + used, room - used, TOP_TEXT,
			      "%.2f %.2f %.2f  ", h->load[0], h->load[1], h->load[2]);
}

static int put_memory(struct top *t, int y, int x, int room, int meter)
{
	const struct top_host *h = &t->model.host;
	char used_text[UNITS_SIZE], total[UNITS_SIZE];
	double percent = recent_last(&h->memory);
	int used = canvas_put(&t->canvas, y, x, room, TOP_DIM, "mem ");

	if (!h->has_memory)
		return used + canvas_put(&t->canvas, y, x + used, room - used, TOP_DIM, "?  ");
	if (meter && room - used > meter + 14) {
		graph_meter(&t->canvas, y, x + used, meter, t->graphs, percent / 100,
			graph_style(&graph_percent, percent));
		used += meter + 1;
	}
	return used +
	       canvas_format(&t->canvas, y, x + used, room - used, TOP_TEXT, "%s/%s  ",
		       format_bytes(used_text, (uint64_t)(h->memory_total - h->memory_available)),
		       format_bytes(total, (uint64_t)h->memory_total));
}

static int put_pressure(struct top *t, int y, int x, int room)
{
	const struct top_host *h = &t->model.host;
	int used = canvas_put(&t->canvas, y, x, room, TOP_DIM, "waits: ");

	used += put_share(t, y, x + used, room - used, "cpu", h->has_cpu_pressure, h->cpu_pressure);
	used += put_share(t, y, x + used, room - used, "io", h->has_io_pressure, h->io_pressure);
	return used + put_share(t, y, x + used, room - used, "mem", h->has_memory_pressure,
			      h->memory_pressure);
}

/* Draws the number of short-lived processes, which have no rows. */
static int put_short_lived(struct top *t, int y, int x, int room)
{
	const struct top_table *sum = top_table_of(&t->model.frame, "short_lived_totals");
	double count;

	if (!sum)
		return 0;
	if (!top_number(
		    sum->schema, t->shows_all ? "count" : "in_sessions", top_row_of(sum), &count))
		return canvas_put(&t->canvas, y, x, room, TOP_DIM, "  short-lived: ? (b)");
	return count > 0 ? canvas_format(
				   &t->canvas, y, x, room, TOP_DIM, "  %.0f short-lived (b)", count)
			 : 0;
}

/* Draws the number of agents for each activity, the most urgent first: "6 agents: 1 waits for you 2
 * model 3 idle". */
static int put_agents(struct top *t, int y, int x, int room)
{
	struct canvas *c = &t->canvas;
	unsigned count = t->model.session_count;
	int used = canvas_format(c, y, x, room, TOP_STYLED(TOP_TEXT, TOP_BOLD), "%u agent%s", count,
		count == 1 ? "" : "s");

	for (size_t i = 0; i < TOP_DOINGS; i++) {
		unsigned style = top_doings[i].style;

		if (!t->model.by_doing[i])
			continue;
		if (style == TOP_FOR_USER)
			style = TOP_STYLED(style, TOP_BOLD | TOP_REVERSE);
		used += 2;
		used += canvas_format(c, y, x + used, room - used, style, "%u %s",
			t->model.by_doing[i], top_doings[i].word);
	}
	return used + put_short_lived(t, y, x + used, room - used);
}

/* Draws the age of the findings at the right. Returns the room that is left. */
static int put_age(struct top *t, int y, int x, int room)
{
	double age_s = finder_age_s(&t->finder);
	char age[UNITS_SIZE], text[64];
	int taken;

	if (age_s < 0 || room < 60)
		return room;
	snprintf(
		text, sizeof(text), room < 72 ? "%s ago" : "diagnosed %s ago", top_ago(age, age_s));
	taken = canvas_width(&t->canvas, text);
	canvas_put(&t->canvas, y, x + room - taken, taken, TOP_DIM, text);
	return room - taken - 2;
}

/* Returns the session whose row the user selected; NULL: none. */
static const struct top_session *picked_session(const struct top *t)
{
	const struct top_row *row = t->has_moved ? top_picked(t) : NULL;

	return row ? row->session : NULL;
}

/* Draws the finding of the selected session, else the most severe one, or that nothing is wrong. */
static void put_worst(struct top *t, int y, int x, int room)
{
	const struct top_finding *all[FINDINGS_MAX];
	const struct top_session *picked = picked_session(t);
	bool is_noted = picked && top_session_is_noted(picked);
	bool is_of_picked = picked && (picked->finding_level || is_noted);
	size_t hidden, count = top_findings_sorted(t, all, &hidden);
	char text[512], more[96] = "";

	room = put_age(t, y, x, room);
	if (!count) {
		canvas_put(&t->canvas, y, x, room, TOP_DIM,
			!t->finder.is_started	? ""
			: hidden		? "findings only in hidden rows; Escape shows all"
			: !t->finder.has_first	? "diagnosing..."
			: t->finder.command.pid ? "no findings"
						: "no findings; the diagnosis no longer runs");
		return;
	}
	if (is_of_picked)
		snprintf(text, sizeof(text), "%s  %s",
			is_noted ? picked->flags : top_finding_word(picked->finding_name),
			is_noted ? picked->doing_text : picked->finding);
	else
		top_finding_line(t, all[0], text, sizeof(text));
	if (count > 1 || picked || hidden)
		snprintf(more, sizeof(more), "%s%zu finding%s (w)%s: ",
			picked && !is_of_picked ? "none of this session; " : "", count,
			count == 1 ? "" : "s", is_of_picked ? ", of this session" : "");
	canvas_format(&t->canvas, y, x, room,
		top_finding_style(is_of_picked ? picked->finding_level : all[0]->level), "%s%s",
		more, text);
}

static void put_cpu(struct top *t, int y, int x, int room, int graph)
{
	const struct top_host *h = &t->model.host;
	struct canvas *c = &t->canvas;
	int used = canvas_put(c, y, x, room, TOP_DIM, "cpu ");

	if (!h->has_cpu) {
		canvas_put(c, y, x + used, room - used, TOP_DIM, "?");
		return;
	}
	if (graph && room - used > graph + 6) {
		graph_draw(c, (struct canvas_area){ y, x + used, 1, graph }, t->graphs, &h->cpu,
			&graph_cpu);
		used += graph + 1;
	}
	canvas_format(c, y, x + used, room - used, graph_style(&graph_cpu, recent_last(&h->cpu)),
		"%.0f%%", recent_last(&h->cpu));
}

/* --- the two forms --- */

static void draw_small_head(struct top *t, struct canvas_area a)
{
	int half = a.columns / 2;

	put_title(t, a.y, a.x, a.columns);
	if (a.rows < 2)
		return;
	if (a.rows < SMALL_ROWS) {
		put_agents(t, a.y + 1, a.x, a.columns);
		return;
	}
	put_cpu(t, a.y + 1, a.x, half - 1, half > 20 ? half - 14 : 0);
	put_memory(t, a.y + 1, a.x + half, a.columns - half, half > 30 ? half - 22 : 0);
	half = put_load(t, a.y + 2, a.x, a.columns);
	put_pressure(t, a.y + 2, a.x + half, a.columns - half);
	put_agents(t, a.y + 3, a.x, a.columns);
	if (a.rows > 4)
		put_worst(t, a.y + 4, a.x, a.columns);
}

/* Draws columns for the processors, as many as fit. */
static void put_cores(struct top *t, struct canvas_area a)
{
	const struct top_host *h = &t->model.host;
	int width = 16, column = 0, row = 0;

	for (size_t i = 0; i < h->cpu_count; i++) {
		double use = recent_last(&h->cpu_of[i].use);
		int x = a.x + column * width;

		if (x + width > a.x + a.columns)
			return;
		canvas_format(&t->canvas, a.y + row, x, 4, TOP_DIM, "%zu", i);
		graph_draw(&t->canvas, (struct canvas_area){ a.y + row, x + 4, 1, width - 10 },
			t->graphs, &h->cpu_of[i].use, &graph_cpu);
		if (!isnan(use))
			canvas_format(&t->canvas, a.y + row, x + width - 6, 5,
				graph_style(&graph_cpu, use), "%3.0f%%", use);
		if (++row == a.rows) {
			row = 0;
			column++;
		}
	}
}

static void draw_cpu_box(struct top *t, struct canvas_area a)
{
	const struct top_host *h = &t->model.host;
	struct canvas_area in = canvas_box(&t->canvas, a, "cpu");
	int cores = (int)((h->cpu_count + (size_t)in.rows - 2) / (size_t)(in.rows - 1)) * 16;

	if (cores > in.columns / 2)
		cores = in.columns / 2 / 16 * 16;
	graph_draw(&t->canvas,
		(struct canvas_area){ in.y, in.x, in.rows - 1, in.columns - cores - 1 }, t->graphs,
		&h->cpu, &graph_cpu);
	put_cores(t, (struct canvas_area){ in.y, in.x + in.columns - cores, in.rows - 1, cores });
	put_cpu(t, in.y + in.rows - 1, in.x + 1, 14, 0);
	put_load(t, in.y + in.rows - 1, in.x + 12, in.columns - 12);
}

static void draw_memory_box(struct top *t, struct canvas_area a)
{
	const struct top_host *h = &t->model.host;
	struct canvas_area in = canvas_box(&t->canvas, a, "memory");
	struct graph_scale scale = graph_memory;
	char used[UNITS_SIZE], total[UNITS_SIZE];
	int x;

	scale.top = 100;
	graph_draw(&t->canvas, (struct canvas_area){ in.y, in.x, in.rows - 1, in.columns },
		t->graphs, &h->memory, &scale);
	x = put_memory(t, in.y + in.rows - 1, in.x + 1, in.columns - 1, 0);
	if (h->has_swap)
		canvas_format(&t->canvas, in.y + in.rows - 1, in.x + 1 + x, in.columns - 1 - x,
			TOP_DIM, "swap %s/%s", format_bytes(used, (uint64_t)h->swap_used),
			format_bytes(total, (uint64_t)h->swap_total));
}

static void draw_pressure_box(struct top *t, struct canvas_area a)
{
	const struct top_host *h = &t->model.host;
	const struct {
		const char *name;
		const struct recent *values;
	} lines[] = { { "cpu", &h->pressure_cpu }, { "io", &h->pressure_io },
		{ "mem", &h->pressure_memory } };
	struct canvas_area in = canvas_box(&t->canvas, a, "waiting for");
	struct graph_scale scale = graph_percent;
	int rows = in.rows / 3;

	for (size_t i = 0; i < 3 && rows; i++) {
		int y = in.y + (int)i * rows, last = y + rows - 1;
		double now = recent_last(lines[i].values);

		canvas_put(&t->canvas, last, in.x + 1, 4, TOP_DIM, lines[i].name);
		graph_draw(&t->canvas, (struct canvas_area){ y, in.x + 5, rows, in.columns - 11 },
			t->graphs, lines[i].values, &scale);
		if (isnan(now))
			canvas_put_right(&t->canvas, last, in.x + in.columns - 6, 5, TOP_DIM, "?");
		else
			canvas_format(&t->canvas, last, in.x + in.columns - 5, 5,
				graph_style(&graph_percent, now * 2), "%3.0f%%", now);
	}
}

static void draw_large_head(struct top *t, struct canvas_area a)
{
	int boxes = a.rows - 3, y = a.y + 1, pressure = 30, memory = a.columns / 4;
	int cpu = a.columns - pressure - memory;

	put_title(t, a.y, a.x, a.columns);
	draw_cpu_box(t, (struct canvas_area){ y, a.x, boxes, cpu });
	draw_memory_box(t, (struct canvas_area){ y, a.x + cpu, boxes, memory });
	draw_pressure_box(t, (struct canvas_area){ y, a.x + cpu + memory, boxes, pressure });
	put_agents(t, y + boxes, a.x + 1, a.columns - 1);
	put_worst(t, y + boxes + 1, a.x + 1, a.columns - 1);
}

void top_draw_head(struct top *t, struct canvas_area a)
{
	if (a.rows >= LARGE_ROWS)
		draw_large_head(t, a);
	else
		draw_small_head(t, a);
}

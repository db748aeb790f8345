/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of the list. */
#include "cli/top/columns.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "base/units.h"
#include "cli/top/text.h"

#define MUCH_CPU     50 /* percent of one processor */
#define READABLE     72 /* columns of a readable activity */
#define KEEP_LEAST   80 /* columns of less use come after a readable activity */
#define TOOL_LEAST   30 /* columns of a tool and its command before its state */
#define MUCH_CONTEXT 80 /* percent of the model's window */
#define GROWTH_WIDE  9	/* columns of "+120M/min" */
#define NARROW	     60 /* a list of so many columns or fewer is narrow */
#define WIDE	     110
#define VERY_WIDE    180
#define FULL_CPU     100
#define MUCH_BYTES   (1u << 30) /* resident bytes of a tree that are much */

typedef void draw_cell(struct top *t, const struct top_row *row, struct top_cell_place at);

/* --- order --- */

static int compare_descending(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare_by_pid(const struct top_session *a, const struct top_session *b)
{
	return (a->id.pid > b->id.pid) - (a->id.pid < b->id.pid);
}

static int compare_by_agent(const struct top_session *a, const struct top_session *b)
{
	return strcmp(a->agent, b->agent);
}

static int compare_by_project(const struct top_session *a, const struct top_session *b)
{
	return strcmp(a->project, b->project);
}

static int compare_by_task(const struct top_session *a, const struct top_session *b)
{
	return strcmp(a->task, b->task);
}

static int compare_by_age(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->has_since ? a->since_s : -1, b->has_since ? b->since_s : -1);
}

static struct urgency_rank rank_of(const struct top_session *s)
{
	return (struct urgency_rank){ .urgency = s->urgency,
		.since_s = s->has_since ? s->since_s : -1,
		.cpu_percent = s->cpu_percent };
}

/* Compares sessions in the order of `sooth ps`; ended sessions come last. */
static int compare_by_urgency(const struct top_session *a, const struct top_session *b)
{
	bool x = a->mark == TOP_MARK_GONE, y = b->mark == TOP_MARK_GONE;

	return x != y ? (x ? 1 : -1) : urgency_compare(rank_of(a), rank_of(b));
}

static int compare_by_model(const struct top_session *a, const struct top_session *b)
{
	return strcmp(a->model, b->model);
}

static int compare_by_context(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(
		a->has_context ? a->context_tokens : -1, b->has_context ? b->context_tokens : -1);
}

static int compare_by_tokens(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->tokens_a_minute, b->tokens_a_minute);
}

static int compare_by_cpu(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->cpu_percent, b->cpu_percent);
}

static int compare_by_memory(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->rss_bytes, b->rss_bytes);
}

static int compare_by_growth(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->growth, b->growth);
}

static int compare_by_received(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->received_rate, b->received_rate);
}

static int compare_by_sent(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->sent_rate, b->sent_rate);
}

static int compare_by_processes(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->processes, b->processes);
}

static int compare_by_finding(const struct top_session *a, const struct top_session *b)
{
	return compare_descending(a->finding_level, b->finding_level);
}

int top_column_compare(uint8_t column, const struct top_session *a, const struct top_session *b)
{
	return column < top_column_count && top_columns[column].compare
		       ? top_columns[column].compare(a, b)
		       : 0;
}

uint8_t top_column_number(const char *name)
{
	uint8_t i = 0;

	while (i + 1u < top_column_count && strcmp(top_columns[i].name, name))
		i++;
	return i;
}

bool top_column_orders(const struct top *t, size_t column)
{
	const struct top_column *c = &top_columns[column];

	return c->heading[0] && (t->is_flat ? c->field != NULL : c->compare != NULL);
}

bool top_column_falls(const struct top_column *c)
{
	assert(c);
	return c->is_number && c->compare != compare_by_pid;
}

const struct top_column *top_column_of(const char *field, bool is_flat)
{
	for (const struct top_column *c = top_columns; c < top_columns + top_column_count; c++) {
		/* Sums of a session; its texts are not those of a process. */
		bool is_same = is_flat || (c->is_number && c->compare != compare_by_age);

		if (c->field && is_same && !strcmp(c->field, field))
			return c;
		if (!is_flat && !strcmp(c->name, field))
			return c;
	}
	return NULL;
}

/* --- cells --- */

static void put_cell(struct top *t, struct top_cell_place at, unsigned style, const char *text)
{
	canvas_put(&t->canvas, at.y, at.x, at.width, style, text);
}

static void put_right(struct top *t, struct top_cell_place at, unsigned style, const char *text)
{
	canvas_put_right(&t->canvas, at.y, at.x, at.width, style, text);
}

static void draw_pid(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", row->id.pid);
	put_right(t, at, row->kind == TOP_ROW_SESSION ? TOP_TEXT : TOP_DIM, text);
}

static bool is_session_row(const struct top_row *row)
{
	return row->kind == TOP_ROW_SESSION;
}

/* Draws the agent of a session, or the role of a process. */
static void draw_agent(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	char text[64];

	if (is_session_row(row)) {
		put_cell(t, at, TOP_STYLED(TOP_TEXT, TOP_BOLD), row->session->agent);
		return;
	}
	if (!top_word(t->model.schema, "role", row->process->row, text, sizeof(text)))
		top_word(t->model.schema, "session_agent", row->process->row, text, sizeof(text));
	put_cell(t, at, TOP_DIM, text);
}

/* Returns whether another session of the list has the same project: its task is shown, too. */
static bool shares_project(const struct top *t, const struct top_session *s)
{
	size_t position = 0;

	for (const struct top_session *o; (o = top_session_next(&t->model, &position));) {
		if (o != s && o->mark != TOP_MARK_GONE && !strcmp(o->project, s->project))
			return true;
	}
	return false;
}

static void draw_project(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	const struct top_session *s = row->session;
	char text[256];

	if (is_session_row(row) && s->task[0] && !t->shows_tasks && shares_project(t, s)) {
		snprintf(text, sizeof(text), "%s: %s", s->project, s->task);
		put_cell(t, at, top_project_style(s), text);
		return;
	}
	if (is_session_row(row)) {
		snprintf(text, sizeof(text), "%s (%s)", s->project, s->branch);
		put_cell(t, at, top_project_style(s),
			s->branch[0] && (int)strlen(text) <= at.width ? text : s->project);
		return;
	}
	top_tree_name(t, row, text, sizeof(text));
	put_cell(t, at, TOP_TEXT, text);
}

static void draw_task(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	if (is_session_row(row))
		put_cell(t, at, TOP_TEXT, row->session->task);
}

static void draw_age(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	char text[24];
	double seconds;

	if (is_session_row(row)) {
		if (!row->session->has_since || row->session->mark == TOP_MARK_GONE)
			return;
		put_right(t, at, top_age_style(row->session), top_age(text, row->session->since_s));
	} else if (top_number(t->model.schema, "elapsed_s", row->process->row, &seconds)) {
		put_right(t, at, TOP_DIM, top_age(text, seconds));
	}
}

/* Puts the activity. Without room for all of it, the state of a tool (", no CPU, no output") comes
 * before its folders, its PID and the end of its command. */
static void put_activity(struct top *t, const struct top_session *s, struct top_cell_place at)
{
	const char *text = s->doing_text[0] ? s->doing_text : "unknown";
	const char *pid = strstr(text, " (pid "), *state = pid ? strchr(pid, ')') : NULL;
	const char *word = strstr(text, ": "), *program;
	char head[sizeof(s->doing_text)];
	int width;

	if (!state || !word || word > pid || canvas_width(&t->canvas, text) <= at.width) {
		put_cell(t, at, top_doing_style(s), text);
		return;
	}
	program = word + 2;
	if (*program == '/')
		program = path_base(span_of(program, strcspn(program, " "))).data;
	snprintf(head, sizeof(head), "%.*s%.*s", (int)(word + 2 - text), text,
		program < pid ? (int)(pid - program) : 0, program);
	width = canvas_width(&t->canvas, ++state);
	/* Without room for both, it is more urgent that a tool does nothing than which one. */
	if (at.width - width < TOOL_LEAST && strstr(s->flags, "SILENT")) {
		snprintf(head, sizeof(head), "%.*s%s", (int)(word - text), text, state);
		put_cell(t, at, top_doing_style(s), head);
		return;
	}
	width = canvas_put(&t->canvas, at.y, at.x,
		at.width - (at.width - width >= TOOL_LEAST ? width : 0), top_doing_style(s), head);
	at.x += width;
	at.width -= width;
	put_cell(t, at, top_doing_style(s), state);
}

static void draw_activity(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	const struct top_session *s = row->session;
	char text[512], age[UNITS_SIZE];

	if (is_session_row(row) && s->mark == TOP_MARK_GONE) {
		snprintf(text, sizeof(text), "ended %s ago",
			top_ago(age, t->model.last_s - s->seen_s));
		put_cell(t, at, TOP_GONE, text);
	} else if (is_session_row(row)) {
		put_activity(t, s, at);
	} else {
		if (!top_word(t->model.schema, "command", row->process->row, text, sizeof(text)))
			top_word(t->model.schema, "name", row->process->row, text, sizeof(text));
		put_cell(t, at, TOP_DIM, text);
	}
}

static void draw_model(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	if (is_session_row(row))
		put_cell(t, at, TOP_TEXT, row->session->model);
}

static void draw_context(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	char text[24];

	if (is_session_row(row) && row->session->has_window) {
		snprintf(text, sizeof(text), "%.0f%%", row->session->context_percent);
		put_right(t, at,
			row->session->context_percent >= MUCH_CONTEXT ? TOP_MIDDLE : TOP_TEXT,
			text);
	} else if (is_session_row(row) && row->session->has_context) {
		put_right(t, at, TOP_TEXT, top_put_count(text, row->session->context_tokens));
	}
}

static void draw_tokens(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	char text[24];

	if (is_session_row(row) && row->session->tokens_a_minute > 0)
		put_right(t, at, TOP_TEXT, top_put_count(text, row->session->tokens_a_minute));
}

static void draw_cpu(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	bool has = is_session_row(row) ? row->session->has_cpu : row->process->has_cpu;
	double cpu = is_session_row(row) ? row->session->cpu_percent : row->process->cpu_percent;
	/* Work is no fault, unless a finding says so. */
	bool is_fault = is_session_row(row) && cpu >= MUCH_CPU && row->session->finding_level &&
			strstr(row->session->finding, "CPU");
	char text[16];

	if (!has || (is_session_row(row) && row->session->mark == TOP_MARK_GONE))
		return;
	snprintf(text, sizeof(text), cpu < 1000 ? "%.1f" : "%.0f", cpu);
	put_right(t, at,
		is_fault	  ? top_finding_style(row->session->finding_level)
		: cpu >= MUCH_CPU ? TOP_STYLED(TOP_TEXT, TOP_BOLD)
		: cpu >= 0.05	  ? TOP_TEXT
				  : TOP_DIM,
		text);
}

static void draw_graph(struct top *t, struct top_cell_place at, const struct recent *values,
	const struct graph_scale *scale, double least_top, bool zooms)
{
	struct graph_scale own = *scale;
	double most = recent_most(values, (unsigned)at.width * 2);

	own.top = most > least_top ? most : least_top;
	if (zooms)
		graph_zoom(&own, values, at.width);
	graph_draw(&t->canvas, (struct canvas_area){ at.y, at.x, 1, at.width }, t->graphs, values,
		&own);
}

static void draw_cpu_graph(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	if (is_session_row(row))
		draw_graph(t, at, &row->session->cpu, &graph_cpu, FULL_CPU, false);
}

static void draw_memory(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	double rss = is_session_row(row) ? row->session->rss_bytes : row->process->rss_bytes;
	char text[UNITS_SIZE];

	if (is_session_row(row) && row->session->mark == TOP_MARK_GONE)
		return;
	put_right(t, at,
		rss >= 2.0 * MUCH_BYTES ? TOP_HIGH
		: rss >= MUCH_BYTES	? TOP_MIDDLE
					: TOP_TEXT,
		format_bytes(text, (uint64_t)rss));
}

/* Draws how fast the memory grows; the heading has the unit if there is no room. */
static void draw_growth(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	double mega = row->session ? row->session->growth / (1 << 20) : 0;
	char text[32];

	if (!is_session_row(row) || row->session->growth <= 0 ||
		row->session->mark == TOP_MARK_GONE)
		return;
	snprintf(text, sizeof(text), mega < 1000 ? "+%.0fM%s" : "+%.1fG%s",
		mega < 1000 ? mega : mega / 1024, at.width >= GROWTH_WIDE ? "/min" : "");
	put_right(t, at, TOP_HIGH, text);
}

static void draw_memory_graph(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	if (is_session_row(row))
		draw_graph(t, at, &row->session->rss, &graph_memory, 1, true);
}

static void put_rate(
	struct top *t, struct top_cell_place at, bool has, double value, unsigned style)
{
	char text[UNITS_SIZE];

	if (has)
		put_right(t, at, value >= 1 ? style : TOP_DIM,
			value >= 1 ? format_bytes(text, (uint64_t)value) : "0");
}

static void draw_received(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	if (is_session_row(row))
		put_rate(t, at, row->session->has_traffic, row->session->received_rate,
			TOP_RECEIVED);
	else if (t->model.interval_s > 0)
		put_rate(t, at, row->process->has_traffic,
			row->process->received / t->model.interval_s, TOP_RECEIVED);
}

static void draw_sent(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	if (is_session_row(row))
		put_rate(t, at, row->session->has_traffic, row->session->sent_rate, TOP_SENT);
	else if (t->model.interval_s > 0)
		put_rate(t, at, row->process->has_traffic, row->process->sent / t->model.interval_s,
			TOP_SENT);
}

static void draw_traffic_graph(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	if (is_session_row(row))
		draw_graph(t, at, &row->session->received, &graph_received, 1, false);
}

static void draw_processes(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	char text[16];

	if (!is_session_row(row) || row->session->mark == TOP_MARK_GONE)
		return;
	snprintf(text, sizeof(text), "%u", row->session->processes);
	put_right(t, at, TOP_DIM, text);
}

/* Draws the word of the worst finding of a session, and how many more there are. */
static void draw_session_finding(
	struct top *t, const struct top_session *s, struct top_cell_place at)
{
	bool is_flag = top_session_is_noted(s);
	unsigned more = s->finding_count - (!is_flag && s->finding_count);

	canvas_format(&t->canvas, at.y, at.x, at.width,
		top_finding_style(
			s->urgency == URGENCY_NEEDS_YOU ? TOP_LEVEL_SICK : s->finding_level),
		more ? "%s +%u" : "%s", is_flag ? s->flags : top_finding_word(s->finding_name),
		more);
}

static void draw_finding(struct top *t, const struct top_row *row, struct top_cell_place at)
{
	const struct top_finding *found = finder_of(&t->finder, &row->id);
	char flags[64];

	if (is_session_row(row)) {
		draw_session_finding(t, row->session, at);
	} else if (found) {
		put_cell(t, at, top_finding_style(found->level), top_finding_word(found->name));
	} else if (row->kind != TOP_ROW_LEFT_OVER || !row->depth) {
		/* A finding about what was left covers what descends from it. */
		top_word(t->model.schema, "flags", row->process->row, flags, sizeof(flags));
		put_cell(t, at, TOP_HIGH, flags);
	}
}

/* --- the table --- */

const struct top_column top_columns[] = {
	{ "pid", "PID", "process id of the main process", 7, 0, 80, true, "pid", compare_by_pid,
		draw_pid },
	{ "agent", "AGENT", "agent; role of a process", 7, 12, 85, false, "role", compare_by_agent,
		draw_agent },
	{ "project", "PROJECT", "project and git branch; name of a process", 12, 32, 90, false,
		"name", compare_by_project, draw_project },
	{ "task", "TASK", "first words of the first prompt", 12, 33, 78, false, NULL,
		compare_by_task, draw_task },
	{ "for", "FOR", "time in this activity; age of a process", 5, 0, 98, true, "elapsed_s",
		compare_by_age, draw_age },
	{ "activity", "ACTIVITY", "what the session is doing; command of a process", 26, 120, 100,
		false, "command", compare_by_urgency, draw_activity },
	{ "model", "MODEL", "model, where the agent writes it", 11, 20, 40, false, NULL,
		compare_by_model, draw_model },
	{ "context", "CONTEXT",
		"context in use, where the agent writes it: percent of the window, or tokens", 7, 0,
		62, true, NULL, compare_by_context, draw_context },
	{ "tokens", "TOK/MIN", "tokens in and out a minute, of the last five minutes", 7, 0, 61,
		true, NULL, compare_by_tokens, draw_tokens },
	{ "cpu", "CPU%", "CPU of all its processes, in percent of one processor", 5, 0, 95, true,
		"cpu_percent", compare_by_cpu, draw_cpu },
	{ "cpu_graph", "", "CPU over the last minutes", 6, 12, 70, false, NULL, compare_by_cpu,
		draw_cpu_graph },
	{ "memory", "MEM", "resident memory of all its processes", 6, 0, 88, true, "rss_bytes",
		compare_by_memory, draw_memory },
	{ "growth", "+/MIN", "steady growth of that memory a minute", 5, GROWTH_WIDE, 87, true,
		NULL, compare_by_growth, draw_growth },
	{ "memory_graph", "", "memory over the last minutes", 6, 10, 35, false, NULL,
		compare_by_memory, draw_memory_graph },
	{ "in", "IN/s", "bytes received on open TCP connections of all its processes", 6, 0, 60,
		true, NULL, compare_by_received, draw_received },
	{ "out", "OUT/s", "bytes sent on open TCP connections of all its processes", 6, 0, 58, true,
		NULL, compare_by_sent, draw_sent },
	{ "in_graph", "", "bytes received over the last minutes", 6, 10, 30, false, NULL,
		compare_by_received, draw_traffic_graph },
	{ "processes", "N", "number of its processes", 3, 0, 50, true, NULL, compare_by_processes,
		draw_processes },
	{ "finding", "FINDING", "the most severe finding, or flags of its processes", 14, 20, 84,
		false, "flags", compare_by_finding, draw_finding },
};
const size_t top_column_count = ARRAY_SIZE(top_columns);

uint32_t top_columns_all(void)
{
	return (uint32_t)((1ull << top_column_count) - 1);
}

const char *top_column_name(size_t index)
{
	return index < top_column_count ? top_columns[index].name : NULL;
}

int top_columns_check(const char *const *names, size_t count, struct sooth_error *err)
{
	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		while (k < top_column_count && strcmp(top_columns[k].name, names[i]))
			k++;
		if (k < top_column_count)
			continue;
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "show a column \"%s\"", names[i]);
		error_why(err, "sooth top has no column of this name");
		return error_remedy(err,
			"the columns: pid, agent, project, task, for, activity, model, context, "
			"tokens, cpu, cpu_graph, memory, growth, memory_graph, in, out, in_graph, "
			"processes, finding");
	}
	return 0;
}

/* --- room --- */

static int width_of_all(const int widths[TOP_COLUMNS_MAX])
{
	int all = 0;

	for (size_t i = 0; i < top_column_count; i++)
		all += widths[i] ? widths[i] + 1 : 0;
	return all ? all - 1 : 0;
}

static bool was_column_dropped(uint8_t keep, uint8_t below, int width)
{
	return !width && keep < below;
}

static bool has_value(const struct top_session *s, draw_cell *draw)
{
	if (draw == draw_model)
		return s->model[0];
	if (draw == draw_context)
		return s->has_context;
	if (draw == draw_tokens)
		return s->tokens_a_minute > 0;
	if (draw == draw_task)
		return s->task[0];
	if (draw == draw_growth)
		return s->growth > 0;
	if (draw == draw_finding)
		return s->finding[0] || s->flags[0];
	if (draw == draw_received || draw == draw_traffic_graph)
		return recent_most(&s->received, RECENT_MAX) >= 1;
	return draw != draw_sent || recent_most(&s->sent, RECENT_MAX) >= 1;
}

/* Returns whether no session has a value in the column, now and over the last minutes. */
static bool is_blank(const struct top *t, draw_cell *draw)
{
	size_t position = 0, sessions = 0, rows = top_row_count(t);

	for (const struct top_session *s; (s = top_session_next(&t->model, &position));
		sessions++) {
		if (has_value(s, draw))
			return false;
	}
	/* Leftover processes come last, and have flags. */
	return sessions && (draw != draw_finding || !rows ||
				   top_row_at(t, rows - 1)->kind != TOP_ROW_LEFT_OVER);
}

/* Returns whether the user has chosen columns. */
static bool has_chosen(const struct top *t)
{
	return t->columns != top_columns_all();
}

/* Returns the digits of the largest PID, for all of which a narrow list has no room to spare. */
static int pid_width(const struct top *t)
{
	uint32_t most = 0;

	for (size_t i = 0; i < top_process_count(&t->model); i++) {
		uint32_t pid = top_process_at(&t->model, i)->id.pid;

		most = pid > most ? pid : most;
	}
	return most < 100000 ? 5 : most < 1000000 ? 6 : 7;
}

/* Returns the least width: in a narrow list the most important words leave room for others. */
static int least_width(const struct top *t, const struct top_column *c, int room)
{
	if (room < WIDE && c->compare == compare_by_pid)
		return pid_width(t);
	if (room >= WIDE && c->compare == compare_by_project)
		return 16;
	if (room >= VERY_WIDE && c->compare == compare_by_task)
		return 24;
	if (room >= NARROW)
		return c->width;
	return c->compare == compare_by_urgency	  ? 15
	       : c->compare == compare_by_project ? 9
						  : c->width;
}

/* Returns how important a column is: in a list of all processes the PID identifies a row. */
static uint8_t column_importance(const struct top *t, size_t i)
{
	if ((t->is_flat || t->is_tree) && top_columns[i].draw == draw_growth)
		return 0;
	if (!t->is_flat && !t->is_tree && !has_chosen(t) && is_blank(t, top_columns[i].draw))
		return 0;
	return t->is_flat && top_columns[i].compare == compare_by_pid ? 99 : top_columns[i].keep;
}

/* Widens the activity of sessions, the most important column of the list. */
static void grow_activity(int room, int widths[TOP_COLUMNS_MAX])
{
	int *width = &widths[top_column_number("activity")], left = room - width_of_all(widths);

	if (*width && *width < READABLE)
		*width += left < READABLE - *width ? left : READABLE - *width;
}

/* Chooses the most important columns first, as long as they fit. */
static void choose_columns(const struct top *t, int room, int widths[TOP_COLUMNS_MAX])
{
	uint8_t below = 255, importance[TOP_COLUMNS_MAX];

	for (size_t i = 0; i < top_column_count; i++)
		importance[i] = column_importance(t, i);
	memset(widths, 0, sizeof(int) * TOP_COLUMNS_MAX);
	for (size_t taken = 0; taken < top_column_count; taken++) {
		size_t best = top_column_count;

		for (size_t i = 0; i < top_column_count; i++) {
			if (was_column_dropped(importance[i], below, widths[i]) &&
				(best == top_column_count || importance[i] > importance[best]))
				best = i;
		}
		if (best == top_column_count || !importance[best])
			return;
		below = importance[best];
		if (below < KEEP_LEAST)
			grow_activity(room, widths);
		widths[best] = least_width(t, &top_columns[best], room);
		if (width_of_all(widths) > room || !(t->columns >> best & 1))
			widths[best] = 0;
	}
}

void top_columns_fit(const struct top *t, int room, int widths[TOP_COLUMNS_MAX])
{
	bool grows = true;
	int left;

	choose_columns(t, room, widths);
	grow_activity(room, widths);
	left = room - width_of_all(widths);
	/* The columns grow one column at a time, so that each gets its share. */
	while (left > 0 && grows) {
		grows = false;
		for (size_t i = 0; i < top_column_count && left > 0; i++) {
			if (!widths[i] || widths[i] >= top_columns[i].most)
				continue;
			widths[i]++;
			left--;
			grows = true;
		}
	}
}

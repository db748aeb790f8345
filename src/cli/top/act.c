/* SPDX-License-Identifier: BSD-2-Clause */
/* Choosing, asking and doing. */
#include "cli/top/act.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/act/act_signals.h"
#include "cli/top/state.h"

#define WORDS_MAX   (TOP_ACT_TARGETS_MAX + 10)
#define TARGET_SIZE 32

static const struct {
	const char *command, *what, *doing;
} verbs[] = {
	[TOP_ACT_KILL] = { "kill", "end", "ending" },
	[TOP_ACT_FREEZE] = { "freeze", "freeze", "freezing" },
	[TOP_ACT_THAW] = { "thaw", "thaw", "thawing" },
};

const struct top_pane_kind top_act_outcome = { .name = "outcome", .help = "", .doing = "acting" };

/* --- which --- */

static void add_target(struct top *t, const struct top_row *row)
{
	struct top_act *a = &t->act;
	char agent[32];

	if (row->kind == TOP_ROW_SESSION && row->session->mark == TOP_MARK_GONE)
		return;
	if (a->count == TOP_ACT_TARGETS_MAX) {
		a->left_out++;
		return;
	}
	if (row->process && !row->session &&
		!top_word(
			t->model.schema, "session_agent", row->process->row, agent, sizeof(agent)))
		a->may_be_any = true;
	a->targets[a->count++] = row->id;
}

static void put_process_name(struct top *t, const struct top_row *row)
{
	struct top_act *a = &t->act;
	char name[64] = "";

	if (row->kind == TOP_ROW_SESSION) {
		snprintf(a->about, sizeof(a->about), "%u %s %s", row->id.pid, row->session->agent,
			row->session->project);
		return;
	}
	top_word(t->model.schema, "name", row->process->row, name, sizeof(name));
	snprintf(a->about, sizeof(a->about), "%u %s", row->id.pid, name);
}

bool top_act_begin(struct top *t, enum top_act_verb verb)
{
	const struct top_row *picked = top_picked(t);
	struct top_act *a = &t->act;

	*a = (struct top_act){ .verb = verb, .signal = act_signal_default() };
	for (size_t i = 0; t->tagged.count && i < top_row_count(t); i++) {
		if (map_get(&t->tagged, &top_row_at(t, i)->id))
			add_target(t, top_row_at(t, i));
	}
	if (a->count > 1)
		snprintf(a->about, sizeof(a->about), "%zu tagged", a->count);
	if (!t->tagged.count && picked)
		add_target(t, picked);
	if (!a->count) {
		top_say(t, t->tagged.count ? "no tagged process is on display: Escape ends a "
					     "filter, U removes the tags"
					   : "no running process is selected");
		return false;
	}
	if (a->count == 1) {
		for (size_t i = 0; i < top_row_count(t); i++) {
			if (process_id_equal(&top_row_at(t, i)->id, &a->targets[0]))
				put_process_name(t, top_row_at(t, i));
		}
		a->is_tree = picked && picked->kind == TOP_ROW_SESSION;
	}
	a->stage = verb == TOP_ACT_KILL ? TOP_ACT_MENU : TOP_ACT_ASKS;
	return true;
}

bool top_act_is_key(int key, enum top_act_verb *verb)
{
	static const int keys[][2] = {
		[TOP_ACT_KILL] = { 'K', TOP_KEY_F1 + 8 },
		[TOP_ACT_FREEZE] = { 'z', TOP_KEY_F1 + 6 },
		[TOP_ACT_THAW] = { 'Z', TOP_KEY_F1 + 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (key != keys[i][0] && key != keys[i][1])
			continue;
		*verb = (enum top_act_verb)i;
		return true;
	}
	return false;
}

void top_act_begin_pane(struct top *t, enum top_act_verb verb)
{
	struct top_act *a = &t->act;
	struct process_id id = t->pane.id;
	const struct top_process *p = top_process_find(&t->model, &id);

	*a = (struct top_act){ .verb = verb, .signal = act_signal_default(), .may_be_any = true };
	a->targets[a->count++] = id;
	snprintf(a->about, sizeof(a->about), "process %u", id.pid);
	if (p && p->session) {
		a->may_be_any = false;
		a->is_tree = p->is_main;
		snprintf(a->about, sizeof(a->about), "%u %s %s", id.pid,
			p->is_main ? p->session->agent : "of", p->session->project);
	}
	a->stage = verb == TOP_ACT_KILL ? TOP_ACT_MENU : TOP_ACT_ASKS;
}

/* --- doing --- */

static void run_act(struct top *t)
{
	char targets[TOP_ACT_TARGETS_MAX][TARGET_SIZE];
	const char *words[WORDS_MAX] = { "sooth", verbs[t->act.verb].command };
	struct top_act *a = &t->act;
	struct top_pane *p = &t->pane;
	size_t count = 2;

	if (a->verb == TOP_ACT_KILL) {
		words[count++] = "--yes";
		words[count++] = "--signal";
		words[count++] = act_signals[a->signal].name;
	}
	if (a->is_tree)
		words[count++] = "-t";
	if (a->may_be_any)
		words[count++] = "--any";
	for (size_t i = 0; i < a->count; i++) {
		snprintf(targets[i], TARGET_SIZE, "%u@%llu", a->targets[i].pid,
			(unsigned long long)a->targets[i].start_ticks);
		words[count++] = targets[i];
	}
	top_pane_close(p);
	p->kind = &top_act_outcome;
	p->id = a->targets[0];
	snprintf(p->about, sizeof(p->about), "%s%s%s, %s", verbs[a->verb].command,
		a->verb == TOP_ACT_KILL ? " by SIG" : "",
		a->verb == TOP_ACT_KILL ? act_signals[a->signal].name : "", a->about);
	if (top_pane_run(p, words, top_pane_columns(t))) {
		top_pane_close(p);
		top_say(t, "nothing was done: no process could be started");
	}
	map_clear(&t->tagged);
}

/* --- keys --- */

static void handle_menu_key(struct top_act *a, int key)
{
	if (key == TOP_KEY_UP || key == 'k')
		a->signal = (a->signal + act_signal_count - 1) % act_signal_count;
	else if (key == TOP_KEY_DOWN || key == 'j')
		a->signal = (a->signal + 1) % act_signal_count;
	else if (key == TOP_KEY_LEFT || key == TOP_KEY_RIGHT || key == 't')
		a->is_tree = !a->is_tree;
	else if (key == TOP_KEY_ENTER)
		a->stage = TOP_ACT_ASKS;
	else if (key == TOP_KEY_ESCAPE || key == 'q')
		a->stage = TOP_ACT_NONE;
}

void top_act_handle_key(struct top *t, int key)
{
	struct top_act *a = &t->act;

	if (a->stage == TOP_ACT_MENU) {
		handle_menu_key(a, key);
		return;
	}
	if (key == 't' || key == TOP_KEY_LEFT || key == TOP_KEY_RIGHT) {
		a->is_tree = !a->is_tree;
		return;
	}
	if (key == 'y' || key == 'Y')
		run_act(t);
	else
		top_say(t, "nothing was done");
	a->stage = TOP_ACT_NONE;
}

/* --- drawing --- */

static struct canvas_area draw_box(struct top *t, int columns, int rows, const char *title)
{
	struct canvas *c = &t->canvas;

	columns = columns < c->columns ? columns : c->columns;
	rows = rows < c->rows ? rows : c->rows;
	return canvas_box(c,
		(struct canvas_area){
			(c->rows - rows) / 2, (c->columns - columns) / 2, rows, columns },
		title);
}

static const char *describe_reach(const struct top_act *a)
{
	return a->is_tree ? "with all processes below" : "this process alone";
}

/* Returns the first of several texts that fits. */
static const char *fitting_text(const struct canvas *c, int room, const char *const *texts)
{
	while (texts[1] && canvas_width(c, texts[0]) > room)
		texts++;
	return texts[0];
}

/* Draws the menu of signals. If not all have room, the selected signal does. */
static void draw_menu(struct top *t)
{
	const struct top_act *a = &t->act;
	struct canvas *c = &t->canvas;
	struct canvas_area in = draw_box(t, 64, (int)act_signal_count + 3, a->about);
	int signals = in.rows > 1 ? in.rows - 1 : in.rows;
	size_t first = a->signal >= (size_t)signals ? a->signal - (size_t)signals + 1 : 0;
	char wide[96], narrow[96];

	for (size_t i = first; i < act_signal_count && i < first + (size_t)signals; i++) {
		int y = in.y + (int)(i - first);

		canvas_format(c, y, in.x + 1, 9, TOP_STYLED(TOP_KEY, TOP_BOLD), "SIG%s",
			act_signals[i].name);
		canvas_put(c, y, in.x + 10, in.columns - 10, TOP_TEXT, act_signals[i].help);
		if (i == a->signal)
			canvas_mark(c, y, in.x, in.columns, TOP_PICKED);
	}
	snprintf(wide, sizeof(wide), "Enter: next   t: %s   Escape: cancel", describe_reach(a));
	snprintf(narrow, sizeof(narrow), "Enter: next  t: below: %s", a->is_tree ? "yes" : "no");
	if (in.rows > 1)
		canvas_put(c, in.y + in.rows - 1, in.x + 1, in.columns - 1, TOP_DIM,
			fitting_text(c, in.columns - 1,
				(const char *const[]){ wide, narrow, "Enter: next", NULL }));
}

/* Draws the question in rows of whole words, then the keys, which are cut only if there is no
 * room. */
static void draw_question(struct top *t)
{
	static const char *const keys[] = {
		"y: yes   t: with or without those below   any other key: no",
		"y: yes   t: below or not   other keys: no", "y: yes  t: below  other: no",
		"y: yes, other: no", NULL
	};
	const struct top_act *a = &t->act;
	struct canvas *c = &t->canvas;
	unsigned style = TOP_STYLED(TOP_ALARM, TOP_BOLD);
	struct canvas_area in;
	char text[512], more[96] = "";

	if (a->left_out)
		snprintf(more, sizeof(more), " (%zu more tagged rows are left out: at most %d)",
			a->left_out, TOP_ACT_TARGETS_MAX);
	snprintf(text, sizeof(text), "%s%s%s %s%s%s%s", a->verb == TOP_ACT_KILL ? "send SIG" : "",
		a->verb == TOP_ACT_KILL ? act_signals[a->signal].name : verbs[a->verb].what,
		a->verb == TOP_ACT_KILL ? " to" : "", a->about,
		a->is_tree ? " and all processes below?" : " alone, not what is below?",
		a->may_be_any ? " It belongs to no agent." : "", more);
	in = draw_box(t, 64, 7, a->about);
	canvas_put_words(c, (struct canvas_area){ in.y, in.x + 1, in.rows - 1, in.columns - 2 },
		style, text);
	if (in.rows > 0)
		canvas_put(c, in.y + in.rows - 1, in.x + 1, in.columns - 1, TOP_TEXT,
			fitting_text(c, in.columns - 1, keys));
}

void top_act_draw(struct top *t)
{
	if (t->act.stage == TOP_ACT_MENU)
		draw_menu(t);
	else if (t->act.stage == TOP_ACT_ASKS)
		draw_question(t);
}

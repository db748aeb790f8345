/* SPDX-License-Identifier: BSD-2-Clause */
/* Acts on keys and the mouse. An unknown key shows a message. */
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/top/column_list.h"
#include "cli/top/columns.h"
#include "cli/top/findings_list.h"
#include "cli/top/keys_pane.h"
#include "cli/top/prompt.h"
#include "cli/top/text.h"
#include "cli/top/state.h"

static void move_pick(struct top *t, long by)
{
	/* The next row has moved into the place of a row that is gone. */
	long to = (long)t->picked + by - (t->is_pick_gone && by > 0);

	top_pick(t, to < 0 ? 0 : (size_t)to);
}

static long page_rows(const struct top *t)
{
	return t->places.list.rows > 1 ? t->places.list.rows - 1 : 1;
}

/* --- order --- */

static void sort_by(struct top *t, int step)
{
	int widths[TOP_COLUMNS_MAX];
	size_t at = t->sort;

	top_columns_fit(t, t->canvas.columns, widths);
	/* Only columns on display can be chosen. */
	for (size_t i = 0; i < top_column_count; i++) {
		at = (at + top_column_count + (size_t)step) % top_column_count;
		if (widths[at] && top_column_orders(t, at))
			break;
	}
	t->sort = (uint8_t)at;
	t->is_reversed = false;
	top_arrange(t);
	top_say(t, "sorted by %s: %s", top_columns[at].name, top_columns[at].help);
}

static void reverse_order(struct top *t, int key)
{
	(void)key;
	t->is_reversed = !t->is_reversed;
	top_arrange(t);
}

/* --- rows --- */

static void unfold_row(struct top *t, bool is_wanted, bool toggles)
{
	const struct top_row *row = top_picked(t);
	struct process_id id;

	if (!row)
		return;
	/* A process folds back to its session. */
	if (!t->is_tree && !t->is_flat && row->kind == TOP_ROW_PROCESS && !is_wanted &&
		row->session) {
		t->picked_id = row->session->id;
		top_want_folding(t, &t->picked_id, TOP_FOLDED);
		top_arrange(t);
		return;
	}
	if (!row->has_below) {
		if (is_wanted && !t->is_tree && !t->is_flat)
			top_say(t, "%u has no other processes", row->id.pid);
		return;
	}
	id = row->id;
	if (toggles)
		is_wanted = !row->is_unfolded;
	top_want_folding(t, &id, is_wanted ? TOP_UNFOLDED : TOP_FOLDED);
	top_arrange(t);
}

static void show_all(struct top *t, bool is_tree, bool is_flat)
{
	t->is_tree = is_tree;
	t->is_flat = is_flat;
	t->shows_all = is_tree || is_flat;
	map_clear(&t->folding);
	top_arrange(t);
	top_say(t, is_tree   ? "tree of all processes, complete with the next frame"
		   : is_flat ? "all processes, complete with the next frame"
			     : "sessions of agents");
}

static void change_tree(struct top *t, int key)
{
	(void)key;
	show_all(t, !t->is_tree, false);
}

static void change_flat(struct top *t, int key)
{
	(void)key;
	if (!t->is_flat && !top_columns[t->sort].field)
		t->sort = top_column_number("cpu");
	show_all(t, false, !t->is_flat);
}

static void tag_row(struct top *t, int key)
{
	const struct top_row *row = top_picked(t);

	(void)key;
	if (!row)
		return;
	if (!map_remove(&t->tagged, &row->id))
		map_put(&t->tagged, &row->id, NULL);
	move_pick(t, 1);
}

/* --- mouse --- */

static void click_heading(struct top *t, int x)
{
	const struct top_places *p = &t->places;
	size_t at = 0;
	uint8_t column;

	if (!p->headings)
		return;
	while (at + 1 < p->headings && p->heading_x[at + 1] <= x)
		at++;
	column = p->heading_column[at];
	if (!top_column_orders(t, column))
		return;
	t->is_reversed = column == t->sort && !t->is_reversed;
	t->sort = column;
	top_arrange(t);
}

static void handle_mouse(struct top *t, const struct top_mouse *mouse)
{
	const struct canvas_area *list = &t->places.list;
	size_t row;

	if (!mouse)
		return;
	if (t->pane.kind) {
		for (int i = 0; mouse->wheel && i < 3; i++)
			top_pane_handle_key(&t->pane, mouse->wheel < 0 ? 'k' : 'j');
		return;
	}
	if (mouse->wheel) {
		move_pick(t, 3L * mouse->wheel);
		return;
	}
	if (mouse->y == t->places.heading_y) {
		click_heading(t, mouse->x);
		return;
	}
	if (mouse->y < list->y || mouse->y >= list->y + list->rows)
		return;
	row = top_row_at_line(t, mouse->y - list->y);
	if (row >= top_row_count(t))
		return;
	top_pick(t, row);
	if (mouse->is_double || mouse->x <= list->x)
		unfold_row(t, true, true);
}

/* --- the list --- */

static bool handle_movement_key(struct top *t, int key)
{
	switch (key) {
	case TOP_KEY_UP:
	case 'k':
		move_pick(t, -1);
		return true;
	case TOP_KEY_DOWN:
	case 'j':
		move_pick(t, 1);
		return true;
	case TOP_KEY_PAGE_UP:
		move_pick(t, -page_rows(t));
		return true;
	case TOP_KEY_PAGE_DOWN:
		move_pick(t, page_rows(t));
		return true;
	case TOP_KEY_HOME:
	case 'g':
		top_pick(t, 0);
		return true;
	case TOP_KEY_END:
	case 'G':
		top_pick(t, TOP_ROWS_MAX);
		return true;
	case TOP_KEY_RIGHT:
	case TOP_KEY_LEFT:
		unfold_row(t, key == TOP_KEY_RIGHT, false);
		return true;
	default:
		return false;
	}
}

static void escape(struct top *t, int key)
{
	(void)key;
	t->match.text[0] = t->match.user[0] = '\0';
	top_match_changed(&t->match, t->model.schema);
	top_arrange(t);
}

static void choose_order(struct top *t, int key)
{
	sort_by(t, key == '<' ? -1 : 1);
}

static void ask_filter(struct top *t, int key)
{
	(void)key;
	top_prompt_open(t, TOP_ASKS_FILTER);
}

static void ask_user(struct top *t, int key)
{
	(void)key;
	top_prompt_open(t, TOP_ASKS_USER);
}

static void search(struct top *t, int key)
{
	if ((key == 'n' || key == 'N') && t->search[0])
		top_find_next(t, key == 'N' ? -1 : 1);
	else
		top_prompt_open(t, TOP_ASKS_SEARCH);
}

static void choose_columns(struct top *t, int key)
{
	(void)key;
	top_column_list_open(t);
}

static void show_findings(struct top *t, int key)
{
	(void)key;
	top_findings_open(t);
}

/* Changes to the next of a few intervals, whatever interval was chosen at the start. */
static void change_interval(struct top *t, int key)
{
	static const uint64_t steps[] = { 250 * NS_PER_MS, 500 * NS_PER_MS, NS_PER_S, 2 * NS_PER_S,
		3 * NS_PER_S, 5 * NS_PER_S, 10 * NS_PER_S, 30 * NS_PER_S, 60 * NS_PER_S };
	uint64_t to = t->interval_ns;
	char every[24];

	if (t->replay) {
		top_say(t, "a capture has the interval it was taken with");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (key == '-' && steps[i] < t->interval_ns)
			to = steps[i];
		else if (key != '-' && steps[i] > t->interval_ns && to == t->interval_ns)
			to = steps[i];
	}
	top_say(t, to == t->interval_ns ? "every %s: no %s here" : "every %s",
		top_put_interval(every, to), key == '-' ? "shorter interval" : "longer interval");
	t->interval_ns = to;
}

static void untag_rows(struct top *t, int key)
{
	(void)key;
	top_say(t, t->tagged.count ? "no row is tagged any more" : "no row is tagged");
	map_clear(&t->tagged);
}

static void pause_display(struct top *t, int key)
{
	(void)key;
	t->is_held = !t->is_held;
}

static void show_help(struct top *t, int key)
{
	(void)key;
	t->mode = TOP_HELP;
}

static void begin_act(struct top *t, int key)
{
	enum top_act_verb verb;

	if (t->replay) {
		top_say(t, "a capture has no running processes");
		return;
	}
	if (top_act_is_key(key, &verb))
		top_act_begin(t, verb);
}

static void copy(struct top *t, int key)
{
	top_copy(t, key == 'R');
}

/* Steps through a replay; a brace steps further than a bracket. */
static void step_replay(struct top *t, int key)
{
	long far = key == '{' || key == '}' ? 30 : 1;

	if (!t->replay) {
		top_say(t, "[ and ] step through a capture: sooth top FILE.sooth");
		return;
	}
	replay_step(t->replay, &t->model, key == '[' || key == '{' ? -far : far);
	top_arrange(t);
}

static const struct {
	int keys[2];
	void (*take)(struct top *t, int key);
} choices[] = {
	{ { '<', '>' }, choose_order },
	{ { TOP_KEY_F1 + 5 }, choose_order },
	{ { 'I' }, reverse_order },
	{ { 't', TOP_KEY_F1 + 4 }, change_tree },
	{ { 'L' }, change_flat },
	{ { 'l' }, top_show_log },
	{ { 'b' }, top_show_short_lived },
	{ { '\\', TOP_KEY_F1 + 3 }, ask_filter },
	{ { '/', TOP_KEY_F1 + 2 }, search },
	{ { 'n', 'N' }, search },
	{ { 'u' }, ask_user },
	{ { 'o', TOP_KEY_F1 + 1 }, choose_columns },
	{ { 'w' }, show_findings },
	{ { '+', '-' }, change_interval },
	{ { ' ' }, tag_row },
	{ { 'U' }, untag_rows },
	{ { 'p' }, pause_display },
	{ { '?', 'h' }, show_help },
	{ { TOP_KEY_F1 }, show_help },
	{ { TOP_KEY_ESCAPE }, escape },
	{ { 'K', TOP_KEY_F1 + 8 }, begin_act },
	{ { 'z', TOP_KEY_F1 + 6 }, begin_act },
	{ { 'Z', TOP_KEY_F1 + 7 }, begin_act },
	{ { 'C', 'R' }, copy },
	{ { 'J' }, top_say_terminal },
	{ { '[', ']' }, step_replay },
	{ { '{', '}' }, step_replay },
};

static void handle_choice_key(struct top *t, int key)
{
	bool is_enter = key == TOP_KEY_ENTER || key == '\r';
	const struct top_pane_kind *kind = top_pane_kind_for(is_enter ? 'd' : key);

	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		if (key && (choices[i].keys[0] == key || choices[i].keys[1] == key)) {
			choices[i].take(t, key);
			return;
		}
	}
	if (kind && kind->words[0] && t->replay)
		top_say(t, "of a capture: sooth report FILE.sooth, sooth diagnose FILE.sooth");
	else if (kind)
		top_open_pane(t, kind);
	else if (key > ' ' && key < 0x7f)
		top_say(t, "the key %c does nothing here; ? lists the keys", key);
	else
		top_say(t, "this key does nothing here; ? lists the keys");
}

bool top_handle_key(struct top *t, int key, const struct top_mouse *mouse)
{
	t->message[0] = '\0';
	if (key == TOP_KEY_RESIZE)
		return true;
	if (key == TOP_KEY_MOUSE) {
		if (t->mode == TOP_LIST && t->act.stage == TOP_ACT_NONE)
			handle_mouse(t, mouse);
		return true;
	}
	if (t->act.stage != TOP_ACT_NONE) {
		top_act_handle_key(t, key);
		return true;
	}
	if (top_prompt_is_open(t)) {
		top_prompt_handle_key(t, key);
		return true;
	}
	if (t->mode == TOP_FINDINGS) {
		top_findings_handle_key(t, key);
		return true;
	}
	if (t->mode == TOP_CHOOSES_COLUMNS) {
		top_column_list_handle_key(t, key);
		return true;
	}
	if (t->mode == TOP_HELP) {
		t->mode = TOP_LIST;
		return true;
	}
	if (t->pane.kind) {
		top_handle_pane_key(t, key);
		return true;
	}
	if (key == 'q' || key == TOP_KEY_F10)
		return false;
	if (!handle_movement_key(t, key))
		handle_choice_key(t, key);
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What keys and the mouse do. An unknown key says so. */
#include <string.h>

#include "base/cleanup.h"
#include "cli/top/columns.h"
#include "cli/top/keys_pane.h"
#include "cli/top/state.h"

static void move_pick(struct top *t, long by)
{
	/* The place of a row that is gone is that of the next one. */
	long to = (long)t->picked + by - (t->is_pick_gone && by > 0);

	top_pick(t, to < 0 ? 0 : (size_t)to);
}

static long page(const struct top *t)
{
	return t->places.list.rows > 1 ? t->places.list.rows - 1 : 1;
}

/* --- order --- */

static void sort_by(struct top *t, int step)
{
	int widths[TOP_COLUMNS_MAX];
	size_t at = t->sort;

	top_columns_fit(t, t->canvas.columns, widths);
	/* By what is on display only. */
	for (size_t i = 0; i < top_column_count; i++) {
		at = (at + top_column_count + (size_t)step) % top_column_count;
		if (widths[at] && top_columns[at].compare && top_columns[at].heading[0])
			break;
	}
	t->sort = (uint8_t)at;
	t->is_reversed = false;
	top_arrange(t);
	top_say(t, "sorted by %s: %s", top_columns[at].name, top_columns[at].help);
}

static void reverse(struct top *t, int key)
{
	(void)key;
	t->is_reversed = !t->is_reversed;
	top_arrange(t);
}

/* --- rows --- */

static void unfold(struct top *t, bool is_wanted, bool toggles)
{
	const struct top_row *row = top_picked(t);
	bool is_set;

	if (!row)
		return;
	/* From a process back to its session. */
	if (!t->is_tree && row->kind == TOP_ROW_PROCESS && !is_wanted && row->session) {
		t->picked_id = row->session->id;
		map_remove(&t->unfolded, &t->picked_id);
		top_arrange(t);
		return;
	}
	if (!row->has_below) {
		if (is_wanted && !t->is_tree)
			top_say(t, "%u has no other processes", row->id.pid);
		return;
	}
	is_set = map_get(&t->unfolded, &row->id) != NULL;
	/* In the tree the map has what is folded. */
	if (toggles ? is_set : is_wanted == t->is_tree)
		map_remove(&t->unfolded, &row->id);
	else
		map_put(&t->unfolded, &row->id, NULL);
	top_arrange(t);
}

static void change_tree(struct top *t, int key)
{
	(void)key;
	t->is_tree = t->shows_all = !t->is_tree;
	map_clear(&t->unfolded);
	top_arrange(t);
	top_say(t, t->is_tree ? "tree of all processes, complete with the next frame"
			      : "sessions of agents");
}

static void tag(struct top *t, int key)
{
	const struct top_row *row = top_picked(t);

	(void)key;
	if (!row)
		return;
	if (!map_remove(&t->tagged, &row->id))
		map_put(&t->tagged, &row->id, NULL);
	move_pick(t, 1);
}

/* --- texts that are typed --- */

static void drop_character(char *text)
{
	size_t size = strlen(text);

	/* A whole character of several bytes. */
	while (size && ((unsigned char)text[size - 1] & 0xc0) == 0x80)
		size--;
	text[size ? size - 1 : 0] = '\0';
}

static void add_character(char text[TOP_FILTER_SIZE], int key)
{
	size_t size = strlen(text);

	if (key < ' ' || key >= 0x110000 || (key >= 0x7f && key < 0xa0))
		return;
	if (key < 0x80 && size + 1 < TOP_FILTER_SIZE) {
		text[size] = (char)key;
		text[size + 1] = '\0';
	} else if (key < 0x800 && size + 2 < TOP_FILTER_SIZE) {
		snprintf(text + size, TOP_FILTER_SIZE - size, "%c%c", 0xc0 | key >> 6,
			0x80 | (key & 0x3f));
	} else if (key >= 0x800 && key < 0x10000 && size + 3 < TOP_FILTER_SIZE) {
		snprintf(text + size, TOP_FILTER_SIZE - size, "%c%c%c", 0xe0 | key >> 12,
			0x80 | (key >> 6 & 0x3f), 0x80 | (key & 0x3f));
	}
}

static void find_next(struct top *t)
{
	char text[sizeof(((struct top_session *)0)->doing_text) * 2];
	size_t count = top_row_count(t);

	if (!t->search[0] || !count)
		return;
	for (size_t i = 1; i <= count; i++) {
		const struct top_row *row = top_row_at(t, (t->picked + i) % count);
		const struct top_session *s = row->session;

		text[0] = '\0';
		if (row->process)
			top_word(t->model.schema, "command", row->process->row, text, sizeof(text));
		if (strcasestr(text, t->search) ||
			(row->kind == TOP_ROW_SESSION &&
				(strcasestr(s->project, t->search) ||
					strcasestr(s->agent, t->search) ||
					strcasestr(s->doing_text, t->search)))) {
			top_pick(t, (t->picked + i) % count);
			return;
		}
	}
	top_say(t, "no row has \"%s\"", t->search);
}

char *top_typed_text(struct top *t)
{
	return t->mode == TOP_ASKS_FILTER   ? t->filter
	       : t->mode == TOP_ASKS_SEARCH ? t->search
					    : t->pane.search;
}

static void take_typed(struct top *t, int key)
{
	char *text = top_typed_text(t);

	if (key == TOP_KEY_ESCAPE) {
		text[0] = '\0';
		t->mode = TOP_LIST;
	} else if (key == TOP_KEY_ENTER || key == '\r') {
		if (t->mode == TOP_ASKS_SEARCH)
			find_next(t);
		if (t->mode == TOP_ASKS_PANE_SEARCH)
			top_find_in_pane(t);
		t->mode = TOP_LIST;
	} else if (key == TOP_KEY_BACKSPACE || key == '\b') {
		drop_character(text);
	} else {
		add_character(text, key);
	}
	top_arrange(t);
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
	t->is_reversed = column == t->sort && !t->is_reversed;
	t->sort = column;
	top_arrange(t);
}

static void take_mouse(struct top *t, const struct top_mouse *mouse)
{
	const struct canvas_area *list = &t->places.list;
	size_t row;

	if (!mouse)
		return;
	if (t->pane.kind) {
		for (int i = 0; mouse->wheel && i < 3; i++)
			top_pane_take_key(&t->pane, mouse->wheel < 0 ? 'k' : 'j');
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
	row = t->first + (size_t)(mouse->y - list->y);
	if (row >= top_row_count(t))
		return;
	top_pick(t, row);
	if (mouse->is_double || mouse->x <= list->x)
		unfold(t, true, true);
}

/* --- the list --- */

static bool take_movement(struct top *t, int key)
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
		move_pick(t, -page(t));
		return true;
	case TOP_KEY_PAGE_DOWN:
		move_pick(t, page(t));
		return true;
	case TOP_KEY_HOME:
	case 'g':
		top_pick(t, 0);
		return true;
	case TOP_KEY_END:
	case 'G':
		top_pick(t, TOP_ROWS_MAX);
		return true;
	case TOP_KEY_ENTER:
	case '\r':
		unfold(t, true, true);
		return true;
	case TOP_KEY_RIGHT:
	case TOP_KEY_LEFT:
		unfold(t, key == TOP_KEY_RIGHT, false);
		return true;
	default:
		return false;
	}
}

static void escape(struct top *t, int key)
{
	(void)key;
	t->filter[0] = '\0';
	top_arrange(t);
}

static void choose_order(struct top *t, int key)
{
	sort_by(t, key == '<' ? -1 : 1);
}

static void ask_filter(struct top *t, int key)
{
	(void)key;
	t->mode = TOP_ASKS_FILTER;
}

static void search(struct top *t, int key)
{
	if (key == 'n' && t->search[0])
		find_next(t);
	else
		t->mode = TOP_ASKS_SEARCH;
}

static void untag(struct top *t, int key)
{
	(void)key;
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
	t->help_first = 0;
}

static void begin_act(struct top *t, int key)
{
	if (t->replay) {
		top_say(t, "a capture has no running processes");
		return;
	}
	top_act_begin(t, key == 'K' || key == TOP_KEY_F1 + 8   ? TOP_ACT_KILL
			 : key == 'z' || key == TOP_KEY_F1 + 6 ? TOP_ACT_FREEZE
							       : TOP_ACT_THAW);
}

static void copy(struct top *t, int key)
{
	top_copy(t, key == 'R');
}

/* With a brace further. */
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
	{ { 'I' }, reverse },
	{ { 't', TOP_KEY_F1 + 4 }, change_tree },
	{ { '/', TOP_KEY_F1 + 3 }, ask_filter },
	{ { 'n', TOP_KEY_F1 + 2 }, search },
	{ { ' ' }, tag },
	{ { 'U' }, untag },
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

static void take_choice(struct top *t, int key)
{
	const struct top_pane_kind *kind = top_pane_kind_for(key);

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

static void take_help_key(struct top *t, int key)
{
	if (key == TOP_KEY_DOWN || key == 'j')
		t->help_first++;
	else if (key == TOP_KEY_UP || key == 'k')
		t->help_first--;
	else
		t->mode = TOP_LIST;
}

bool top_take_key(struct top *t, int key, const struct top_mouse *mouse)
{
	t->message[0] = '\0';
	if (key == TOP_KEY_RESIZE)
		return true;
	if (key == TOP_KEY_MOUSE) {
		if (t->mode == TOP_LIST && t->act.stage == TOP_ACT_NONE)
			take_mouse(t, mouse);
		return true;
	}
	if (t->act.stage != TOP_ACT_NONE) {
		top_act_take_key(t, key);
		return true;
	}
	if (t->mode >= TOP_ASKS_FILTER) {
		take_typed(t, key);
		return true;
	}
	if (t->mode == TOP_HELP) {
		take_help_key(t, key);
		return true;
	}
	if (t->pane.kind) {
		top_take_pane_key(t, key);
		return true;
	}
	if (key == 'q' || key == TOP_KEY_F10)
		return false;
	if (!take_movement(t, key))
		take_choice(t, key);
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* State that the parts of the screen share: the model, the rows on display, and the choices made by
 * keys. */
#pragma once

#include "cli/top/act.h"
#include "cli/top/canvas.h"
#include "cli/top/finder.h"
#include "cli/top/graph.h"
#include "cli/top/match.h"
#include "cli/top/model.h"
#include "cli/top/pane.h"
#include "cli/top/replay.h"
#include "cli/top/targets.h"
#include "cli/top/top.h"

#define TOP_MESSAGE_SIZE 256
#define TOP_ROWS_MAX	 100000
#define TOP_COLUMNS_MAX	 24
#define TOP_NOTES_MAX	 64
#define TOP_ROOMY	 180 /* columns of a screen whose list has room for an activity */

/* Keys that are no characters. */
enum top_key {
	TOP_KEY_NONE = -1,
	TOP_KEY_ESCAPE = 27,
	TOP_KEY_ENTER = '\n',
	TOP_KEY_BACKSPACE = 127,
	TOP_KEY_UP = 0x200000,
	TOP_KEY_DOWN,
	TOP_KEY_LEFT,
	TOP_KEY_RIGHT,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_RESIZE,
	TOP_KEY_MOUSE,
	TOP_KEY_F1,
	TOP_KEY_F10 = TOP_KEY_F1 + 9,
	TOP_KEY_UNKNOWN,
};

struct top_mouse {
	int y, x;
	int wheel; /* -1: up, 1: down, 0: none */
	bool is_double;
};

enum top_row_kind { TOP_ROW_SESSION, TOP_ROW_PROCESS, TOP_ROW_LEFT_OVER };

/* A row of the list. */
struct top_row {
	enum top_row_kind kind;
	struct process_id id;
	struct top_session *session;	   /* NULL: none */
	const struct top_process *process; /* NULL: of a session that has ended */
	unsigned depth;
	bool has_below, is_unfolded, is_last;
	bool has_heading; /* the first one that an ended session left: a line above names that */
};

enum top_mode {
	TOP_LIST,
	TOP_HELP,
	TOP_FINDINGS, /* the list of findings */
	TOP_CHOOSES_COLUMNS,
	/* Modes in which a text is typed. */
	TOP_ASKS_FILTER,
	TOP_ASKS_USER,
	TOP_ASKS_SEARCH,
	TOP_ASKS_PANE_SEARCH,
	TOP_MODES,
};

/* The user's choice for one row, which overrides has_room. */
enum top_folding { TOP_FOLDED = 1, TOP_UNFOLDED };

/* Positions in the last frame, for the mouse. */
struct top_places {
	struct canvas_area list;	/* rows only */
	int heading_y;			/* row of the screen with the headings of the columns */
	int heading_x[TOP_COLUMNS_MAX]; /* start of each shown heading */
	uint8_t heading_column[TOP_COLUMNS_MAX];
	size_t headings;
};

/* Findings that were reported as alerts, until they clear. */
struct top_alerting {
	struct alerts *alerts; /* NULL: there are none */
	struct top_finding *raised;
	size_t count;
};

struct top {
	struct top_options options;
	struct top_model model;
	struct top_frames frames;
	struct finder finder;
	struct top_alerting alerting;
	struct top_targets targets;
	struct replay *replay; /* frames of a capture; NULL: live */
	struct top_pane pane;
	struct top_act act;
	struct canvas canvas;
	enum graph_form graphs;
	struct terminal *terminal; /* NULL: none, in a test */
	bool is_new;		   /* a frame came and was not drawn yet */

	struct buffer rows;			 /* struct top_row, in order */
	struct top_finding notes[TOP_NOTES_MAX]; /* what flags say and no finding does */
	size_t note_count;
	size_t hidden; /* number of rows hidden by the filter */
	struct process_id picked_id;
	size_t picked, first; /* selected row; first row in the window */
	bool has_moved;	      /* the user selected a row */
	bool shows_tasks;     /* the list has the column of tasks */
	uint8_t answer_level; /* sessions with such a finding have a second line; 0: none */
	bool is_pick_gone;    /* the selected row left the list, and no other is selected */
	struct map folding;   /* struct process_id -> uint8_t, enum top_folding */
	struct map tagged;    /* struct process_id -> nothing */

	enum top_mode mode;
	bool is_tree; /* show trees, of sessions or of all processes */
	bool is_flat; /* show all processes as a sorted list */
	bool is_held, is_reversed;
	bool has_room;	      /* all sessions are unfolded, except ones that the user folded */
	bool shows_all;	      /* read by the view before each frame */
	uint8_t sort;	      /* column to sort by */
	uint32_t columns;     /* bit set of chosen columns */
	unsigned column_at;   /* selected row in the list of columns */
	uint64_t interval_ns; /* between frames; keys change it */
	struct top_match match;
	char search[TOP_FILTER_SIZE];
	char typed[TOP_FILTER_SIZE];	   /* text typed at the open prompt */
	char finding_key[TOP_FINDING_KEY]; /* key of the selected row in the list of findings */
	char message[TOP_MESSAGE_SIZE];
	char copied[TOP_FILTER_SIZE * 2]; /* text for the clipboard of the terminal; "": nothing */
	struct top_places places;
	bool is_activity_cut; /* of the selected row */
};

static inline size_t top_row_count(const struct top *t)
{
	return t->rows.size / sizeof(struct top_row);
}

static inline struct top_row *top_row_at(const struct top *t, size_t i)
{
	return (struct top_row *)(void *)t->rows.data + i;
}

/* Returns whether a session is in the findings by its flags: no finding is more urgent. */
static inline bool top_session_is_noted(const struct top_session *s)
{
	return s->mark != TOP_MARK_GONE && s->flags[0] &&
	       (!s->finding_level || s->urgency == URGENCY_NEEDS_YOU);
}

/* Returns whether a finding or a note of the session stands below the row. */
static inline bool top_row_has_answer(const struct top *t, const struct top_row *row)
{
	return t->answer_level && row->kind == TOP_ROW_SESSION &&
	       (row->session->finding_level >= t->answer_level ||
		       (t->answer_level < TOP_LEVEL_SICK && t->canvas.columns < TOP_ROOMY &&
			       top_session_is_noted(row->session)));
}

/* Returns the number of lines of the screen that the row takes. The selected one has the whole
 * activity below if that has no room in its column. */
static inline int top_row_lines(const struct top *t, const struct top_row *row)
{
	return 1 + row->has_heading +
	       (top_row_has_answer(t, row) ||
		       (t->is_activity_cut && row == top_row_at(t, t->picked)));
}

/* Returns the number of lines of the rows from `from` on, before `to`. */
static inline size_t top_lines(const struct top *t, size_t from, size_t to)
{
	size_t lines = 0;

	for (; from < to; from++)
		lines += (size_t)top_row_lines(t, top_row_at(t, from));
	return lines;
}

/* Returns the row at a line of the list, from 0; the number of rows: none. */
static inline size_t top_row_at_line(const struct top *t, int line)
{
	size_t i = t->first;

	while (i < top_row_count(t) && line >= top_row_lines(t, top_row_at(t, i)))
		line -= top_row_lines(t, top_row_at(t, i++));
	return i;
}

void top_want_folding(struct top *t, const struct process_id *id, enum top_folding wanted);
/* Returns the selected row; NULL: there is none. */
const struct top_row *top_picked(const struct top *t);
void top_pick(struct top *t, size_t row);
/* Makes the rows from the model: applies filter, order and folding. */
void top_arrange(struct top *t);
/* Arranges the rows after a new frame: when the selected row is gone, no other is selected for it.
 */
void top_arrange_frame(struct top *t);

/* Initializes all but the terminal, which tests do not have. */
void top_init(struct top *t, const struct top_options *options);
void top_fini(struct top *t);
void top_draw(struct top *t);
/* Handles a key. False: the user has quit. */
bool top_handle_key(struct top *t, int key, const struct top_mouse *mouse);
void top_say(struct top *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

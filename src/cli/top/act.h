/* SPDX-License-Identifier: BSD-2-Clause */
/* Acting on processes from the screen: the user chooses processes and action, and confirms with y.
 * Then `sooth kill`, `freeze` or `thaw` with PID@START acts, and checks each process again. */
#pragma once

#include "base/buffer.h"
#include "cli/top/canvas.h"
#include "model/process_id.h"

struct top;
struct top_pane_kind;

#define TOP_ACT_TARGETS_MAX 64

enum top_act_verb { TOP_ACT_KILL, TOP_ACT_FREEZE, TOP_ACT_THAW };
enum top_act_stage { TOP_ACT_NONE, TOP_ACT_MENU, TOP_ACT_ASKS };

struct top_act {
	enum top_act_stage stage;
	enum top_act_verb verb;
	size_t signal;	 /* index in the menu */
	bool is_seen;	 /* the question was drawn */
	bool is_tree;	 /* the action includes descendants */
	bool may_be_any; /* some targets belong to no agent */
	struct process_id targets[TOP_ACT_TARGETS_MAX];
	size_t count, left_out;
	char about[160];
};

/* Begins an act on the tagged rows, or else on the selected row. False: there is no row, and a
 * message about that is shown. */
bool top_act_begin(struct top *t, enum top_act_verb verb);
/* Begins an act on the process that the open pane is about. */
void top_act_begin_pane(struct top *t, enum top_act_verb verb);
bool top_act_is_key(int key, enum top_act_verb *verb);
void top_act_handle_key(struct top *t, int key);
void top_act_draw(struct top *t);

extern const struct top_pane_kind top_act_outcome;

/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts that are typed in the last row: filter, user, and what to search for. */
#pragma once

#include "cli/top/state.h"

void top_prompt_open(struct top *t, enum top_mode mode);
bool top_prompt_is_open(const struct top *t);
void top_prompt_handle_key(struct top *t, int key);
void top_prompt_draw(struct top *t, int y);
/* Selects the next row, or the previous one (-1), with the text of the last search. */
void top_find_next(struct top *t, int step);
/* Finds the next text in the lines of a pane. */
void top_find_in_pane(struct top *t);

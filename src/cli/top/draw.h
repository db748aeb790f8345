/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a frame, each drawn into its own area. */
#pragma once

#include "cli/top/state.h"

/* Returns how many rows the head takes. */
int top_head_rows(const struct top *t);
void top_draw_head(struct top *t, struct canvas_area area);
void top_draw_list(struct top *t, struct canvas_area area);
/* Returns how many rows the findings in full take, if the list leaves `room` rows; 0: there is not
 * enough room, or there are no findings. */
int top_found_rows(const struct top *t, int room, int columns);
/* Returns whether so many rows have all findings. */
bool top_found_is_whole(const struct top *t, int rows, int columns);
void top_draw_found(struct top *t, struct canvas_area area);
/* Returns how many rows the tracks of all sessions take, if `room` rows are free; 0: there is not
 * enough room. */
int top_tracks_rows(const struct top *t, int room);
void top_draw_tracks(struct top *t, struct canvas_area area);
/* Draws the past activities of a session as a row. A column stands for as many frames as in a
 * graph; colors are those of the list. */
void top_draw_strip(struct top *t, const struct top_session *s, struct canvas_area area);
/* Returns how many rows the details take at least; 0: there is no room, or no session is
 * selected. */
int top_detail_rows(const struct top *t);
void top_draw_detail(struct top *t, struct canvas_area area);
void top_draw_help(struct top *t);

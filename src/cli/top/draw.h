/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a frame, each drawn into its own area. */
#ifndef SOOTH_CLI_TOP_DRAW_H
#define SOOTH_CLI_TOP_DRAW_H

#include "cli/top/state.h"

/* Rows that the head takes. */
int top_head_rows(const struct top *t);
void top_draw_head(struct top *t, struct canvas_area area);
void top_draw_list(struct top *t, struct canvas_area area);
/* 0: there is no room, or no session is selected. */
int top_detail_rows(const struct top *t);
void top_draw_detail(struct top *t, struct canvas_area area);
void top_draw_help(struct top *t);

#endif

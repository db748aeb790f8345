/* SPDX-License-Identifier: BSD-2-Clause */
/* The pane with a session's activities since the screen began. */
#pragma once

#include "cli/top/state.h"

struct top_timeline_line {
	char clock[16], length[24];
	uint8_t doing;
	const char *text;
};

/* Returns how many activities are kept. */
unsigned top_timeline_phases(const struct top_session *s);
/* Writes activity `i` as a line; 0 is the last activity. */
void top_timeline_phase(const struct top *t, const struct top_session *s, unsigned i,
	struct top_timeline_line *line);
/* Writes the timeline into the open pane, for its process. */
void top_timeline_write(struct top *t);

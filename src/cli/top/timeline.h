/* SPDX-License-Identifier: BSD-2-Clause */
/* The pane with what a session did since the screen began. */
#ifndef SOOTH_CLI_TOP_TIMELINE_H
#define SOOTH_CLI_TOP_TIMELINE_H

#include "cli/top/state.h"

struct top_timeline_line {
	char clock[16], length[24];
	uint8_t doing;
	const char *text;
};

/* How many activities are kept. */
unsigned top_timeline_phases(const struct top_session *s);
/* Writes one of these activities as a line; 0 is the last one. */
void top_timeline_phase(const struct top *t, const struct top_session *s, unsigned i,
	struct top_timeline_line *line);
/* Writes the timeline into the open pane, for its process. */
void top_timeline_write(struct top *t);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of V8 scripts: the source of each script is read once, and the ends of its lines are
 * kept. */
#pragma once

#include "base/map.h"
#include "os/linux/files/timeout.h"
#include "os/linux/runtimes/v8/v8_text.h"

struct v8_lines {
	struct map scripts; /* process and source -> struct v8_script_lines */
	struct buffer ends; /* uint32_t: ends of the lines of all scripts */
	struct timeout timeout;
};

/* A source, and its process: PID and start. */
struct v8_source {
	uint64_t source, start_ticks;
	uint32_t pid;
	uint32_t unused;
};

void v8_lines_init(struct v8_lines *l);
void v8_lines_fini(struct v8_lines *l);
/* Returns the line of the letter at `position`, from 1 on; 0: the source is unreadable or too
 * large. */
uint32_t v8_lines_of(struct v8_lines *l, const struct v8_layout *layout,
	const struct v8_source *source, uint32_t position);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of scripts of V8: the source of each is read once, and where its lines end is kept. */
#ifndef SOOTH_OS_LINUX_V8_LINES_H
#define SOOTH_OS_LINUX_V8_LINES_H

#include "base/map.h"
#include "os/linux/files/timeout.h"
#include "os/linux/runtimes/v8/v8_text.h"

struct v8_lines {
	struct map scripts; /* process and source -> struct v8_script_lines */
	struct buffer ends; /* uint32_t: of all scripts */
	struct timeout timeout;
};

/* A source, and its process: pid and when it started. */
struct v8_source {
	uint64_t source, start_ticks;
	uint32_t pid;
	uint32_t unused;
};

void v8_lines_init(struct v8_lines *l);
void v8_lines_fini(struct v8_lines *l);
/* The line of a letter, from 1 on; 0: the source cannot be read, or is larger than is read. */
uint32_t v8_lines_of(struct v8_lines *l, const struct v8_layout *layout,
	const struct v8_source *source, uint32_t position);

#endif

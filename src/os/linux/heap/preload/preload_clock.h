/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts the processor's ticks to times of CLOCK_MONOTONIC, by a line through both clocks. The
 * line is bent a little from time to time, always ahead of all recorded ticks, so times never go
 * back. */
#pragma once

#include <stdint.h>

struct preload_line {
	uint64_t ticks, ns;
	double ns_per_tick;
};

struct preload_clock {
	uint64_t begin_ticks, begin_ns;
	struct preload_line before, line; /* `line` holds from line.ticks on, `before` until then */
};

/* Takes some milliseconds. */
void preload_clock_init(struct preload_clock *c);
/* preload_clock_adjust() bends the line, if it is time to. Call it from time to time. */
/* Returns the number of ticks in a second. */
uint64_t preload_clock_second(const struct preload_clock *c);
void preload_clock_adjust(struct preload_clock *c);
uint64_t preload_clock_ns(const struct preload_clock *c, uint64_t ticks);
uint64_t preload_clock_duration(const struct preload_clock *c, uint64_t ticks);

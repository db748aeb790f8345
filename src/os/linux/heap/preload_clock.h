/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's ticks as times of CLOCK_MONOTONIC. A line through both clocks, which is bent a
 * little now and then, always ahead of what was recorded: times never go back.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_CLOCK_H
#define SOOTH_OS_LINUX_PRELOAD_CLOCK_H

#include <stdint.h>

struct preload_line {
	uint64_t ticks, ns;
	double ns_per_tick;
};

struct preload_clock {
	uint64_t begin_ticks, begin_ns;
	struct preload_line before, line; /* `line` holds from its ticks on */
};

/* Takes some milliseconds. */
void preload_clock_init(struct preload_clock *c);
/* Now and then. */
/* Ticks of a second. */
uint64_t preload_clock_second(const struct preload_clock *c);
void preload_clock_adjust(struct preload_clock *c);
uint64_t preload_clock_ns(const struct preload_clock *c, uint64_t ticks);
uint64_t preload_clock_duration(const struct preload_clock *c, uint64_t ticks);

#endif

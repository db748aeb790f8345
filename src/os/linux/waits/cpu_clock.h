/* SPDX-License-Identifier: BSD-2-Clause */
/* The scheduler's clock. /proc/PID/task/TID/sched has the time in it when a thread last ran. Each
 * CPU has a clock of its own that leaves out the time of interrupts and of the hypervisor, so the
 * clocks of two CPUs may be seconds apart. */
#pragma once

#include "base/buffer.h"
#include "base/map.h"

struct cpu_clock {
	struct map offsets; /* uint32_t CPU -> struct wait_offset */
	struct buffer bytes;
};

void cpu_clock_init(struct cpu_clock *c);
void cpu_clock_fini(struct cpu_clock *c);
void cpu_clock_clear(struct cpu_clock *c);
/* Sets the time when the thread last ran, from the text of its file; false: the text lacks it. */
bool cpu_clock_last_run(struct buffer *text, uint64_t *ns);
/* Sets the present time on the clock of a CPU. False: sooth may not run there, or the kernel does
 * not show it. */
bool cpu_clock_now(struct cpu_clock *c, uint32_t cpu, uint64_t *ns);

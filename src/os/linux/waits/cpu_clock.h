/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's clock, in which /proc/PID/task/TID/sched has the time when a thread last ran.
 * Each CPU has its own: it leaves out what interrupts and the hypervisor take, so two of them may
 * be seconds apart.
 */
#ifndef SOOTH_OS_LINUX_CPU_CLOCK_H
#define SOOTH_OS_LINUX_CPU_CLOCK_H

#include "base/buffer.h"
#include "base/map.h"

struct cpu_clock {
	struct map offsets; /* uint32_t CPU -> struct wait_offset */
	struct buffer bytes;
};

void cpu_clock_init(struct cpu_clock *c);
void cpu_clock_fini(struct cpu_clock *c);
void cpu_clock_clear(struct cpu_clock *c);
/* The time when the thread last ran, from the text of its file; false: it is not there. */
bool cpu_clock_last_run(struct buffer *text, uint64_t *ns);
/* The clock of a CPU now. False: sooth may not run there, or the kernel does not show it. */
bool cpu_clock_now(struct cpu_clock *c, uint32_t cpu, uint64_t *ns);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever steps a process takes turns with it: on one processor each turn is a switch, on two it
 * is waking another one, which takes twice as long.
 */
#ifndef SOOTH_TESTS_ONE_PROCESSOR_H
#define SOOTH_TESTS_ONE_PROCESSOR_H

#include <sched.h>
#include <sys/types.h>

/* Both stay on the processor that this one is on; returns where it may run otherwise. Where that
 * is not allowed all stays as it is. */
static inline cpu_set_t one_processor_with(pid_t other)
{
	int processor = sched_getcpu();
	cpu_set_t before, one;

	CPU_ZERO(&before);
	CPU_ZERO(&one);
	if (processor < 0 || sched_getaffinity(0, sizeof(before), &before))
		return before;
	CPU_SET((unsigned)processor, &one);
	sched_setaffinity(0, sizeof(one), &one);
	sched_setaffinity(other, sizeof(one), &one);
	return before;
}

static inline void one_processor_end(const cpu_set_t *before)
{
	if (CPU_COUNT(before))
		sched_setaffinity(0, sizeof(*before), before);
}

#endif

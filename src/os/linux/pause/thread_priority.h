/* SPDX-License-Identifier: BSD-2-Clause */
/* For a thread of sooth that the target waits for, or that must be faster than the target. */
#pragma once

#include <pthread.h>
#include <sched.h>

/* Makes the calling thread run before all ordinary ones. Does nothing without the privilege. */
static inline void thread_runs_first(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
}

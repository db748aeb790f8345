/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a thread waits, by its system call, and the function that can be changed. */
#ifndef SOOTH_ANALYZE_WAIT_PLACES_H
#define SOOTH_ANALYZE_WAIT_PLACES_H

#include "analyze/profile/profile_sums.h"

enum wait_reason {
	WAIT_PREEMPTED,
	WAIT_FOR_LOCK,
	WAIT_FOR_TIME,
	WAIT_FOR_DESCRIPTORS,
	WAIT_FOR_DATA,
	WAIT_FOR_TURN,
	WAIT_FOR_CHILD,
	WAIT_FOR_SIGNAL,
	WAIT_FOR_DISK,
	WAIT_FOR_MEMORY,
	WAIT_FOR_OTHER,
	WAIT_SHORT,   /* too short to be recorded one by one */
	WAIT_RUNNING, /* no wait: on a CPU */
	WAIT_REASONS,
};

extern const struct sooth_names wait_reason_names;

enum wait_reason wait_reason_of(const struct profile_wait *w);
/* The innermost function that is neither the kernel's nor the C library's; NULL: none. */
const struct profile_function *wait_place_of(
	const struct profile_sums *sums, const struct profile_stacked *stacked);

#endif

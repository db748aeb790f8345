/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the sched program and its loader. */
#pragma once

#include "probes/sched.h"

/* Set before the programs are loaded. */
struct sched_config {
	uint8_t has_state; /* since Linux 5.18: a switch has the state of the thread that leaves */
};

/* Set by the collector while it runs. */
struct sched_control {
	uint64_t began_ns; /* all programs are attached from here on; 0: not yet */
	uint64_t ended_ns; /* time after which nothing counts; 0: not over */
	uint64_t lost;	   /* times of threads that did not fit the ring */
	uint64_t switches; /* of threads from a CPU, some too few per thread */
	uint64_t is_light; /* changes are only counted, to limit the overhead */
};

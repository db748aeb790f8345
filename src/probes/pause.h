/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A pause of threads while the ring to the collector was emptied. Each probe that can pause threads
 * has this record, under its own kind.
 */
#pragma once

#include <sooth/field.h>
#include <sooth/record.h>

/* Value of reserve_ns for a pause that was not for the ring: a program waited until a library that
 * it had loaded was probed. */
#define PAUSE_NO_RESERVE UINT64_MAX

/* A pause of all running threads, while the ring was emptied. */

struct pause_event {
	struct sooth_record record; /* time_ns: when the threads ran again */
	uint64_t asked_ns;	    /* time at which the full ring made the pause necessary */
	uint64_t stopped_ns;	    /* time at which the last running thread had stopped */
	uint64_t reserve_ns;	    /* time that the rest of the ring would have lasted */
	uint32_t threads;	    /* running threads that were stopped */
	uint32_t refused;	    /* threads that could not be paused: traced, or not permitted */
	uint64_t lost;		    /* calls lost to the full ring so far, in total */
};

#define HELD_FIELDS 7

extern const struct sooth_field held_fields[HELD_FIELDS];

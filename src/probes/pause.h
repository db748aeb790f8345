/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A moment in which threads were paused while the ring to the collector was emptied: the same
 * record for each probe that can pause, under a kind of its own.
 */
#ifndef SOOTH_PROBES_HELD_H
#define SOOTH_PROBES_HELD_H

#include <sooth/field.h>
#include <sooth/record.h>

/* The pause was not for the ring: a program waited until a library that it had loaded was probed.
 */
#define PAUSE_NO_RESERVE UINT64_MAX

/* All threads that ran were paused while the ring was emptied. */

struct pause_event {
	struct sooth_record record; /* time_ns: when they ran again */
	uint64_t asked_ns;	    /* when the ring had filled so far that they had to be paused */
	uint64_t stopped_ns;	    /* when the last running thread stood */
	uint64_t reserve_ns;	    /* how long the rest of the ring would have lasted */
	uint32_t threads;	    /* that were running, and were stopped */
	uint32_t refused;	    /* could not be paused: traced by another, or not permitted */
	uint64_t lost;		    /* calls lost to the ring up to now, all together */
};

#define HELD_FIELDS 7

extern const struct sooth_field held_fields[HELD_FIELDS];

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Searches for the layout of one build: collects frames until jsc_calibrate.h can decide. */
#pragma once

#include "os/linux/runtimes/jsc/jsc_calibrate.h"

struct jsc_search {
	struct jsc_calibration calibration; /* its pairs, and how the last try ended */
	struct map known;		    /* struct jsc_pair that `calibration` has */
	uint64_t start_ticks;		    /* start of the process that all pairs come from */
	uint32_t next;			    /* number of pairs for the next try; 0: no more */
};

void jsc_search_init(struct jsc_search *s);
void jsc_search_fini(struct jsc_search *s);
/* Adds a frame that waits for the return of a call. True: the layout is known now, in
 * s->calibration. */
bool jsc_search_put(struct jsc_search *s, const struct profile_raw *raw,
	const struct jsc_pair *pair, struct timeout *timeout, struct jsc_text *text);
/* Finds the interpreter's main code, where handlers stand close together, and sorts `handlers`. An
 * executable whose code was ordered by use has several such ranges with other code between. */
void jsc_ranges_find(struct profile_jsc *shared, uint64_t *handlers, size_t count);

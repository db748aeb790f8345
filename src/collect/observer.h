/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of the observer for the rest of the library, and for tests. */
#ifndef SOOTH_COLLECT_OBSERVER_H
#define SOOTH_COLLECT_OBSERVER_H

#include <sooth/observer.h>
#include "capture/block.h"

struct os;

/* Makes an observer on an `os` that is not the built-in one, for tests. */
int observer_new_on(struct sooth_observer **out, const struct os *os,
	const struct sooth_observer_options *options, struct sooth_error *err);
/* Sets the time between two samples, counted from the last one. */
void observer_sample_every(struct sooth_observer *o, uint64_t sample_ns);
/* Returns the number of samples with new processes of agents; 0: not counted. */
uint64_t observer_agent_arrivals(const struct sooth_observer *o);
int observer_connect(
	struct sooth_observer *o, block_handler handler, void *user, struct sooth_error *err);

#endif

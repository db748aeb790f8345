/* SPDX-License-Identifier: BSD-2-Clause */
/* The observer as the rest of the library and the tests see it. */
#ifndef SOOTH_COLLECT_OBSERVER_H
#define SOOTH_COLLECT_OBSERVER_H

#include <sooth/observer.h>
#include "capture/block.h"

struct os;

/* On another system than the built-in one: for tests. */
int observer_new_on(struct sooth_observer **out, const struct os *os,
	const struct sooth_observer_options *options, struct sooth_error *err);
/* The time between two samples, from the last one on. */
void observer_sample_every(struct sooth_observer *o, uint64_t sample_ns);
/* How often a sample had processes of agents that the one before had not; 0: not counted. */
uint64_t observer_agent_arrivals(const struct sooth_observer *o);
int observer_connect(
	struct sooth_observer *o, block_handler handler, void *user, struct sooth_error *err);

#endif

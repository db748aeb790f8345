/* SPDX-License-Identifier: BSD-2-Clause */
/* Times by state, added up for each thread. */
#pragma once

#include "base/map.h"
#include "model/batch.h"
#include "probes/sched.h"

struct sched_sums {
	struct map threads; /* struct thread_key -> struct sched_times */
};

void sched_sums_init(struct sched_sums *s);
void sched_sums_fini(struct sched_sums *s);
void sched_sums_add_batch(struct sched_sums *s, const struct batch *batch);
/* Walks through all sums: *position starts at 0; NULL at the end. */
const struct sched_times *sched_sums_next(const struct sched_sums *s, size_t *position);
/* Adds all counts and times. */
void sched_times_add(struct sched_times *to, const struct sched_times *from);
/* Returns the time in all states together. */
uint64_t sched_wall_ns(const struct sched_times *t);

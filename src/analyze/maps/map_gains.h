/* SPDX-License-Identifier: BSD-2-Clause */
/* Resident memory by class, and its growth from the first sample of each process to the last. A
 * process that started after the first sample counts from 0; a process that has ended is left out.
 */
#pragma once

#include "analyze/maps/map_classes.h"
#include "base/map.h"

struct map_gains {
	struct snapshots last;
	struct map first; /* struct process_id -> resident memory by class */
	uint64_t first_ns, last_ns;
};

/* growth of one class over all processes */
struct map_gain {
	enum map_class class_;
	uint64_t before, rss, swap;
};

void map_gains_init(struct map_gains *g);
void map_gains_fini(struct map_gains *g);
/* Returns 0, or -ENOMEM. */
int map_gains_add_record(struct map_gains *g, const struct sooth_record *r);
/* Returns whether two samples were taken, so that growth is known. */
bool map_gains_has_two(const struct map_gains *g);
/* Adds up all classes, the largest first. Returns how many processes exist at the end, or
 * -ENOMEM. */
int map_gains_sum(const struct map_gains *g, struct map_gain all[MAP_CLASSES]);
int64_t map_gain_bytes(const struct map_gain *g);
/* Returns the class with at least half of the growth; NULL: none. */
const struct map_gain *map_gains_most(const struct map_gain all[MAP_CLASSES], int64_t gain);

/* SPDX-License-Identifier: BSD-2-Clause */
/* How often threads were held so that nothing is lost, for how long, and whether that was in time.
 */
#ifndef SOOTH_ANALYZE_HOLDS_H
#define SOOTH_ANALYZE_HOLDS_H

#include "core/output.h"

struct holds_row {
	struct sooth_record record;
	uint64_t count;
	uint64_t held_ns;
	uint64_t until_held_ns_max;
	uint64_t reserve_ns_min;
	uint64_t refused;
	uint64_t late;
};

struct holds {
	struct holds_row row;
	uint64_t lost_to_ring; /* when the last hold ended */
};

extern const struct sooth_schema holds_schema;
extern const struct section holds_section;

void holds_init(struct holds *h);
/* `kind`: that of the probe's holds; other records are no matter. */
void holds_take(struct holds *h, const struct sooth_record *r, uint16_t kind);
/* A limit, when calls were lost all the same; `what`: which were meant to be kept. */
void holds_note_late(const struct holds *h, struct output *output, const char *what);
/* The section, when there were any, and what came too late. */
int holds_tell(struct holds *h, struct output *output, const char *what, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* How often threads were held so that nothing is lost, for how long, and whether that was in time.
 */
#ifndef SOOTH_ANALYZE_PAUSES_H
#define SOOTH_ANALYZE_PAUSES_H

#include "core/output.h"

struct pauses_row {
	struct sooth_record record;
	uint64_t count;
	uint64_t held_ns;
	uint64_t until_held_ns_max;
	uint64_t reserve_ns_min;
	uint64_t refused;
	uint64_t late;
};

struct pauses {
	struct pauses_row row;
	uint64_t lost_to_ring; /* when the last hold ended */
};

extern const struct sooth_schema pauses_schema;
extern const struct section pauses_section;

void pauses_init(struct pauses *h);
/* `kind`: that of the probe's holds; other records are no matter. */
void pauses_take(struct pauses *h, const struct sooth_record *r, uint16_t kind);
/* A limit, when calls were lost all the same; `what`: which were meant to be kept. */
void pauses_note_late(const struct pauses *h, struct output *output, const char *what);
/* The section, when there were any, and what came too late. */
int pauses_emit(struct pauses *h, struct output *output, const char *what, struct sooth_error *err);

#endif

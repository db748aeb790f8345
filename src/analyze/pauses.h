/* SPDX-License-Identifier: BSD-2-Clause */
/* How often threads were paused to lose nothing, for how long, and whether in time. */
#ifndef SOOTH_ANALYZE_PAUSES_H
#define SOOTH_ANALYZE_PAUSES_H

#include "core/output.h"

struct pauses_row {
	struct sooth_record record;
	uint64_t count;
	uint64_t paused_ns;
	uint64_t max_until_paused_ns;
	uint64_t min_reserve_ns;
	uint64_t refused;
	uint64_t late;
};

struct pauses {
	struct pauses_row row;
	uint64_t lost_to_ring; /* when the last pause ended */
};

extern const struct sooth_schema pauses_schema;
extern const struct section pauses_section;

void pauses_init(struct pauses *h);
/* `kind`: that of the probe's pause records; other records are ignored. */
void pauses_take(struct pauses *h, const struct sooth_record *r, uint16_t kind);
/* Adds a limit when calls were lost in spite of pauses; `what` names the calls. */
void pauses_note_late(const struct pauses *h, struct output *output, const char *what);
/* The section, if there were pauses, and the limit. */
int pauses_emit(struct pauses *h, struct output *output, const char *what, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Pauses of threads that prevent lost records: how often, how long, and whether in time. */
#pragma once

#include "explain/output.h"
#include "model/row_list.h"

#define PAUSES_ROW(F, S)                                                                           \
	F(S, U64, count, ALWAYS, "number of times all threads of the target were paused")          \
	F(S, U64, paused_ns, ALWAYS,                                                               \
		"total time from the pause requests until the threads ran again",                  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, max_until_paused_ns, ALWAYS,                                                     \
		"longest time from a pause request until the last thread paused",                  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, min_reserve_ns, MAYBE(reserve_state),                                            \
		"shortest time in which the rest of the ring buffer would have filled",            \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, U64, refused, ALWAYS, "number of threads that could not be paused")                   \
	F(S, U64, late, ALWAYS,                                                                    \
		"number of pauses that came too late: the ring buffer was full before")

ROW_STRUCT(pauses_row, PAUSES_ROW);

struct pauses {
	struct pauses_row row;
	uint64_t lost_to_ring; /* lost records when the last pause ended */
};

extern const struct sooth_schema pauses_schema;
extern const struct section pauses_section;

void pauses_init(struct pauses *h);
/* Adds a pause record of the kind `kind`; other records are ignored. */
void pauses_add_record(struct pauses *h, const struct sooth_record *r, uint16_t kind);
/* Completes the row. min_reserve_ns is absent if no pause was made because of the ring buffer. */
void pauses_end(struct pauses *h);
/* Adds a limit when calls were lost in spite of pauses; `what` names the calls. */
void pauses_note_late(const struct pauses *h, struct output *output, const char *what);
/* Emits the section, if there were pauses, and the limit. */
int pauses_emit(struct pauses *h, struct output *output, const char *what, struct sooth_error *err);

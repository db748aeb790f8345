/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that still grows when the observation ends: whether it goes on or was a start, a cache or
 * garbage shows only later, so the observation goes on for a while.
 */
#ifndef SOOTH_CLI_DIAGNOSING_GROWTH_H
#define SOOTH_CLI_DIAGNOSING_GROWTH_H

#include "base/map.h"
#include <sooth/report.h>

struct diagnosing_growth {
	struct map processes; /* struct process_id -> struct of diagnosing_growth.c */
	const uint32_t *selected;
	size_t selected_count;
	bool was_extended;
};

/* `selected`: pids, borrowed. */
void diagnosing_growth_init(
	struct diagnosing_growth *g, const uint32_t *selected, size_t selected_count);
void diagnosing_growth_fini(struct diagnosing_growth *g);
/* A sooth_record_handler. */
int diagnosing_growth_take(
	void *growth, const struct sooth_schema *schema, const struct sooth_record *record);
/* Time to go on for; 0: nothing is undecided, or it went on already. */
uint64_t diagnosing_growth_more(void *growth);

#endif

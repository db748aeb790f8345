/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether one sample answers what processes wait for, or a second one could change the answer. */
#pragma once

#include "analyze/process_table/host_state.h"

/* The caller initializes and frees `host`; the rest is zero but for the interval. */
struct wait_decided {
	struct host_state host; /* after the first sample */
	uint64_t interval_ns;	/* time from the first sample to the second */
	bool has_any, was_asked, is_over;
};

/* Adds a record of the first sample, as a record handler of a report. */
int wait_decided_add_record(
	void *decided, const struct sooth_schema *schema, const struct sooth_record *record);
/* Returns a short time while no sample has come; then once interval_ns, if a second sample is
 * needed; else 0. */
uint64_t wait_decided_more(void *decided);

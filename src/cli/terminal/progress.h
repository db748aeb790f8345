/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line on standard error that says how long it still takes: only on a terminal, only when it
 * takes more than a second, and gone when the work is done.
 */
#ifndef SOOTH_CLI_PROGRESS_H
#define SOOTH_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *doing; /* "observing"; NULL: nothing is shown */
	uint64_t begin_ns, end_ns;
	uint64_t shown_s; /* as it stands there; 0: nothing does */
};

void progress_begin(struct progress *p, const char *doing, uint64_t now_ns, uint64_t end_ns);
void progress_step(struct progress *p, uint64_t now_ns);
void progress_end(struct progress *p);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows a countdown on standard error: only on a terminal, only for more than a second, and erased
 * at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *doing; /* "observing"; NULL: nothing is shown */
	uint64_t begin_ns, end_ns;
	uint64_t shown_s; /* seconds on display; 0: none */
	bool has_text;	  /* a text follows the seconds, and stays */
};

/* Begins to show progress. `doing`: "observing"; NULL: nothing is shown. */
void progress_begin(struct progress *p, const char *doing, uint64_t now_ns, uint64_t end_ns);
void progress_step(struct progress *p, uint64_t now_ns);
/* Shows a text instead of `doing`, cut to one line and escaped. `color` NULL: none. */
void progress_put(const struct progress *p, const char *text, size_t size, const char *color);
/* Extends the progress to `end_ns`: the observation continues. */
void progress_extend(struct progress *p, const char *doing, uint64_t end_ns);
void progress_end(struct progress *p);

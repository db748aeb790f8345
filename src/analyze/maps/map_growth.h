/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view map-growth. */
#pragma once

#include <stdbool.h>

#include <sooth/record.h>

/* Zeroed: the defaults. */
struct map_growth_options {
	/* Show nothing unless page faults were recorded, or a process has a heap whose runtime
	 * does not use malloc. */
	bool beside_calls;
};

/* Returns whether this record of the probe maps shows the heap of a runtime: a JavaScript, Java or
 * Go heap, small objects of Python. */
bool map_growth_is_of_runtime(const struct sooth_record *r);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view map-growth. */
#ifndef SOOTH_ANALYZE_MAP_GROWTH_H
#define SOOTH_ANALYZE_MAP_GROWTH_H

#include <stdbool.h>

/* Zeroed: the defaults. */
struct map_growth_options {
	/* Nothing is shown unless page faults were recorded, or a process has a heap that its
	 * runtime takes from the kernel. */
	bool beside_calls;
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-graph". */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum heap_weight {
	HEAP_WEIGHT_LIVE, /* bytes not freed */
	HEAP_WEIGHT_BLOCKS,
	HEAP_WEIGHT_ALLOCATED, /* bytes */
	HEAP_WEIGHT_CALLS,
	HEAP_WEIGHT_PEAK, /* bytes that were live at the peak */
	HEAP_WEIGHTS,
};

struct heap_graph_options {
	enum heap_weight weight;
	bool is_icicle;
	bool has_places;    /* frames differ by their line and address, for pprof */
	double least_share; /* share of the total; narrower frames are left out of a picture */
};

/* Returns the name of a weight: "live", "blocks", ...; NULL behind the last. */
const char *heap_weight_name(size_t index);

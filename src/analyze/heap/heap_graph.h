/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "heap-graph". */
#ifndef SOOTH_ANALYZE_HEAP_GRAPH_H
#define SOOTH_ANALYZE_HEAP_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

enum heap_weight {
	HEAP_WEIGHT_LIVE, /* bytes not freed */
	HEAP_WEIGHT_BLOCKS,
	HEAP_WEIGHT_ALLOCATED, /* bytes */
	HEAP_WEIGHT_CALLS,
	HEAP_WEIGHT_PEAK, /* bytes that were live when most was live */
	HEAP_WEIGHTS,
};

struct heap_graph_options {
	enum heap_weight weight;
	bool is_icicle;
	double least_share; /* of the picture: narrower frames are left out */
};

/* "live", "blocks", ...; NULL behind the last. */
const char *heap_weight_name(size_t index);

#endif

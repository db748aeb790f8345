/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "pages-graph". */
#pragma once

#include <stdbool.h>

enum pages_weight {
	PAGES_REMAINING, /* if nothing remains: PAGES_AT_PEAK */
	PAGES_TOUCHED,
	PAGES_AT_PEAK,
};

struct pages_graph_options {
	enum pages_weight weight;
	bool is_icicle;
	double least_share; /* share of the total; a picture omits narrower frames */
};

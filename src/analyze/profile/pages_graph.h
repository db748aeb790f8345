/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "pages-graph". */
#ifndef SOOTH_ANALYZE_PAGES_GRAPH_H
#define SOOTH_ANALYZE_PAGES_GRAPH_H

#include <stdbool.h>

struct pages_graph_options {
	bool is_touched; /* all memory that was touched, not what remains */
	bool is_icicle;
	double least_share; /* of the picture: narrower frames are left out */
};

#endif

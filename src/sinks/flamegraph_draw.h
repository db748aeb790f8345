/* SPDX-License-Identifier: BSD-2-Clause */
/* A flamegraph as a picture: boxes for viewers that run no scripts, and what a script draws from.
 */
#ifndef SOOTH_SINKS_FLAMEGRAPH_DRAW_H
#define SOOTH_SINKS_FLAMEGRAPH_DRAW_H

#include "sinks/flamegraph_tree.h"

/* What the section said, kept beyond it: its strings may be gone when the report ends. */
struct flamegraph_look {
	char title[160], about[240];
	char weight[64]; /* what widths are */
	struct flamegraph_fields fields;
	bool is_icicle;
};

void flamegraph_draw(struct buffer *out, const struct flamegraph_tree *t,
	const struct flamegraph_look *look, const char *notes);

#endif

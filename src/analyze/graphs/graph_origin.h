/* SPDX-License-Identifier: BSD-2-Clause */
/* Origin of the stacks in a picture: target, time, and number of lost records. A picture is kept
 * and passed on without its command line. */
#pragma once

#include "base/buffer.h"
#include "model/batch.h"

struct graph_origin {
	struct buffer target; /* description of the target */
	int64_t realtime_offset_ns;
	uint64_t begin_ns; /* time of the observation; 0: unknown */
	uint64_t lost;	   /* number of lost records */
	bool has_segment;
};

void graph_origin_add_batch(struct graph_origin *o, const struct batch *batch);
/* Appends "pid 4711: node server.js; 2026-11-23T05:12:00Z". */
void graph_origin_put(const struct graph_origin *o, struct buffer *out);
/* Appends "; 12 records lost". */
void graph_origin_put_lost(const struct graph_origin *o, struct buffer *out);
void graph_origin_fini(struct graph_origin *o);

/* SPDX-License-Identifier: BSD-2-Clause */
/* A call graph as rows, each frame below its caller; and two graphs merged. */
#pragma once

#include "analyze/graphs/call_graph.h"
#include "explain/output.h"

/* kind of a frame, for colors: new kinds come last */
enum frame_kind {
	FRAME_NEUTRAL, /* a process, a thread, or another container */
	FRAME_FILE,
	FRAME_NETWORK,
	FRAME_MEMORY,
	FRAME_PROCESS,
	FRAME_EVENT,
	FRAME_TIME,
	FRAME_IPC,
	FRAME_SIGNAL,
	FRAME_OTHER,
	FRAME_KINDS,
};

extern const struct sooth_names call_graph_value_names; /* "calls", "time", ... by their enum */

/* How a graph is drawn; zeroed is valid. */
struct call_graph_look {
	const char *title;	     /* "system calls"; NULL: none */
	const char *origin;	     /* what was observed, and when; NULL: not known */
	const char *about;	     /* what the levels mean */
	enum call_graph_value value; /* the meaning of widths */
	bool is_icicle;		     /* the first frames on top */
	double least_share;	     /* share of the total; a picture omits narrower frames */
};

int call_graph_emit(const struct call_graph *g, const struct call_graph_look *look,
	struct output *output, struct sooth_error *err);

/*
 * Two graphs merged. Each frame is as wide as the larger of its two values, so that frames which
 * vanished are visible too. The values of `a` are multiplied by `a_scale`: 0.5 if `a` ran for 10 s
 * and `b` for 5 s.
 */
struct call_graph_comparison {
	const struct call_graph *a, *b;
	double a_scale;
	bool is_of_samples; /* calls are samples of stacks */
	double noise_share; /* share of the larger value; smaller differences are noise */
};

int call_graph_compare(const struct call_graph_comparison *c, const struct call_graph_look *look,
	struct output *output, struct sooth_error *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view that tells of processes as they were last read: section by section, each with
 * what there is of every process. Where it is one process no column says which.
 */
#ifndef SOOTH_ANALYZE_PROCESS_VIEW_H
#define SOOTH_ANALYZE_PROCESS_VIEW_H

#include "analyze/snapshots.h"
#include "core/output.h"

/* What the state of such a view begins with. */
struct process_view {
	struct output *output;
	const struct snapshots *input; /* `own`, or others that the view keeps */
	struct snapshots own;
	struct section section; /* the open one, which the output borrows */
};

/* `state` is the view's. */
typedef int (*process_teller)(void *state, const struct snapshot *reading, struct sooth_error *err);

void process_view_init(struct process_view *v, struct output *output, uint16_t end_kind);
/* As a stage's: of a state that begins with a view and has nothing else to take or let go. */
int process_view_push(void *state, const struct batch *batch, struct sooth_error *err);
void process_view_fini(void *state);
/* Opens the section: columns that begin with "pid," without that for one process. */
int process_view_section(
	struct process_view *v, const struct section *section, struct sooth_error *err);
/* The section with what `tell` makes of each process. */
int process_view_emit(struct process_view *v, const struct section *section, process_teller tell,
	struct sooth_error *err);

#endif

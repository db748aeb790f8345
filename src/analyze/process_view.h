/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A view of the last snapshot of each process: each section covers all processes. If there is only
 * one process, the PID column is left out.
 */
#pragma once

#include "analyze/snapshots.h"
#include "explain/output.h"

/* The first member of such a view's state. */
struct process_view {
	struct output *output;
	const struct snapshots *input; /* `own`, or others that the view collects */
	struct snapshots own;
	struct section section; /* the open section, borrowed by the output */
	bool is_cut;		/* some records did not fit, as the source reported */
};

/* `state` is the view's state. */
typedef int (*process_emitter)(
	void *state, const struct snapshot *snapshot, struct sooth_error *err);

void process_view_init(struct process_view *v, struct output *output, uint16_t end_kind);
/* Push and fini function of a stage whose state begins with a struct process_view. */
int process_view_push(void *state, const struct batch *batch, struct sooth_error *err);
void process_view_fini(void *state);
/* Opens the section; without the column "pid," if there is one process. */
int process_view_section(
	struct process_view *v, const struct section *section, struct sooth_error *err);
/* Emits the section, with the rows that the callback makes of each process. */
int process_view_emit(struct process_view *v, const struct section *section, process_emitter emit,
	struct sooth_error *err);

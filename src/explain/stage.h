/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unit of work of the explaining half. A stage takes the merged stream in batches, remembers
 * what it needs within a stated bound, and gives rows to its report: while records flow (a stream)
 * or at the end (a table). A stage sees only records, so it cannot know whether they are live.
 */
#pragma once

#include "base/error.h"
#include "explain/output.h"
#include "model/batch.h"
#include "model/field.h"

struct stage_type {
	const char *name;
	const char *help;
	const char *probe; /* probe whose default view it is in `sooth report`; NULL: none */
	/* With `probe`: `sooth report` leaves the view out if the capture has no record of this
	 * kind, because a probe that recorded something else would show zeros. 0: never. */
	uint16_t of_kind;
	const char *shows; /* the probe that it needs */
	/* Every table that the stage may emit, NULL at the end: a filter by a field that none of
	 * them has is refused before recording starts. NULL: unknown, and the filter is checked at
	 * the end. */
	const struct sooth_schema *const *tables;
	/* The rows of the stage say what could not be observed: then limits without a remedy are
	 * only detail in the notes. */
	bool reports_gaps;
	/* A fallback measures the same for the stage, so it is only a detail. */
	bool is_same_by_fallback;
	size_t state_size;
	/* `state` is zeroed; `options` is the stage's own struct, or NULL for the defaults. */
	int (*init)(
		void *state, struct output *output, const void *options, struct sooth_error *err);
	int (*push)(void *state, const struct batch *batch, struct sooth_error *err);
	int (*finish)(void *state, struct sooth_error *err);
	void (*fini)(void *state); /* also called after a failed init, for the part that was made */
};

/* Members of a stage; the functions have these names. */
#define STAGE_FUNCTIONS(state)                                                                     \
	.state_size = sizeof(state), .init = init, .push = push, .finish = finish, .fini = fini

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explaining half's unit of work. A stage takes the merged stream in
 * batches, remembers what it needs within a stated bound, and gives rows to the
 * report it belongs to: while records flow (a stream) or at the end (a table).
 * It sees nothing but records, so it cannot know whether they are live.
 */
#ifndef SOOTH_EXPLAIN_STAGE_H
#define SOOTH_EXPLAIN_STAGE_H

#include "base/error.h"
#include "explain/output.h"
#include "model/batch.h"
#include "model/field.h"

struct stage_type {
	const char *name;
	const char *help;
	const char *probe; /* whose default view it is in `sooth report`; NULL: of none */
	const char *shows; /* the probe it cannot do without */
	/* Every table it may emit, NULL at the end: a filter by a field that none of them has is
	 * refused before recording starts. NULL: unknown, and the filter is checked at the end.
	 */
	const struct sooth_schema *const *tables;
	/* Its rows say what could not be observed: of the notes, limits without a remedy are
	 * detail.
	 */
	bool reports_gaps;
	/* A fallback measures the same for it: it is detail. */
	bool is_same_by_fallback;
	size_t state_size;
	/* state is zeroed; options are the stage's own struct, NULL: the defaults. */
	int (*init)(
		void *state, struct output *output, const void *options, struct sooth_error *err);
	int (*push)(void *state, const struct batch *batch, struct sooth_error *err);
	int (*finish)(void *state, struct sooth_error *err);
	void (*fini)(void *state); /* also when init failed, on what it had made until then */
};

/* Members of a stage whose functions have these names. */
#define STAGE_FUNCTIONS(state)                                                                     \
	.state_size = sizeof(state), .init = init, .push = push, .finish = finish, .fini = fini

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "phases". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/batch.h"

/* Zeroed: everything. */
struct phase_selection {
	uint64_t from_utc_ns, to_utc_ns; /* 0: no bound */
	const char *which; /* PID, the begin of a session's id, agent or project; NULL: all */
};

/* Zeroed: the defaults. */
struct phases_options {
	struct phase_selection selection;
	bool says_missing; /* with a limit for each kind of track that a history lacks */
	/* Gets the phase records that the view makes from samples; the view then has no rows.
	 * NULL: the view shows the phases. */
	int (*take)(void *user, const struct batch *spans, struct sooth_error *err);
	void *user;
};

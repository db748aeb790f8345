/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "phases". */
#ifndef SOOTH_ANALYZE_PHASES_H
#define SOOTH_ANALYZE_PHASES_H

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
	/* Records of phases that were made of samples: the view keeps none of them, and has no
	 * rows. NULL: it shows them. */
	int (*take)(void *user, const struct batch *spans, struct sooth_error *err);
	void *user;
};

#endif

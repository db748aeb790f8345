/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "timeline". */
#pragma once

#include "analyze/diagnosis/diagnosis_options.h"

/* Zeroed: the defaults. */
struct timeline_options {
	struct findings_options findings; /* thresholds and checks */
	bool has_own_scales;		  /* each track is scaled to its own highest value */
	bool says_missing; /* with a limit for each kind of track that was not recorded */
	bool is_of_target; /* of a recording of the host: only the selected processes, if any */
};

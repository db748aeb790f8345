/* SPDX-License-Identifier: BSD-2-Clause */
/* The API calls of a timeline: when each was made, how long it waited, whether it still waits. */
#pragma once

#include "analyze/api/api_tracker.h"
#include "analyze/timeline/track.h"
#include "explain/output.h"

struct timeline_api {
	struct api_tracker tracker;
	struct buffer calls, texts;
	uint64_t refused; /* calls that found no room */
};

extern const struct sooth_schema timeline_api_schema;

void timeline_api_init(struct timeline_api *a);
void timeline_api_fini(struct timeline_api *a);
/* Emits the calls on the axis, in the order of their ends. `says_missing`: with a limit if the
 * recording cannot show them. */
int timeline_api_emit(struct timeline_api *a, const struct track_axis *axis, bool says_missing,
	struct output *output, struct sooth_error *err);

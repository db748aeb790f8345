/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions over time: what each was doing, its CPU and memory. */
#pragma once

#include "analyze/phases/phase_sums.h"
#include "analyze/timeline/track.h"
#include "explain/output.h"

enum phase_track_group {
	PHASE_TRACKS_STATES,
	PHASE_TRACKS_CPU,
	PHASE_TRACKS_MEMORY,
	PHASE_TRACK_GROUPS
};

/* Emits tracks of the first sessions in `order`. */
int phase_tracks_emit(struct output *o, const struct phase_history *h,
	const struct phase_session_sum *const *order, size_t count, struct track_axis *axis,
	enum phase_track_group group, struct sooth_error *err);

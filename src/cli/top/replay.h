/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a capture, to step through. A long one is thinned: it keeps every second, fourth
 * ... */
#pragma once

#include "cli/top/frame.h"
#include "cli/top/model.h"

#define REPLAY_FRAMES_MAX 2048

struct replay {
	struct top_frame *frames[REPLAY_FRAMES_MAX];
	size_t count, at;
	unsigned every, skipped; /* every `every`th frame is kept */
	char time[40];		 /* time of the frame that is shown */
};

/* Keeps a copy; without memory the frame is left out. */
void replay_add(struct replay *r, const struct top_frame *frame);
/* Rebuilds the model up to the frame `by` steps further. */
void replay_step(struct replay *r, struct top_model *m, long by);
void replay_fini(struct replay *r);

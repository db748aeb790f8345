/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of a capture. */
#include "cli/top/replay.h"

#include <stdlib.h>

static void drop_frame(struct top_frame *frame)
{
	top_frame_fini(frame);
	free(frame);
}

/* Drops every second one of the kept frames. */
static void thin_frames(struct replay *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (i % 2)
			drop_frame(r->frames[i]);
		else
			r->frames[kept++] = r->frames[i];
	}
	r->count = kept;
	r->every *= 2;
}

void replay_add(struct replay *r, const struct top_frame *frame)
{
	struct top_frame *copy;

	if (!r->every)
		r->every = 1;
	if (r->skipped++ % r->every)
		return;
	if (r->count == REPLAY_FRAMES_MAX)
		thin_frames(r);
	copy = calloc(1, sizeof(*copy));
	if (!copy || !top_frame_copy(copy, frame)) {
		if (copy)
			drop_frame(copy);
		return;
	}
	r->frames[r->count++] = copy;
}

void replay_step(struct replay *r, struct top_model *m, long by)
{
	long to = (long)r->at + by;
	size_t begin;
	const struct top_table *host;

	if (!r->count)
		return;
	r->at = to < 0 ? 0 : (size_t)to < r->count ? (size_t)to : r->count - 1;
	/* Graphs and marks show the frames before as well. */
	begin = r->at > RECENT_MAX ? r->at - RECENT_MAX : 0;
	top_model_fini(m);
	top_model_init(m);
	for (size_t i = begin; i <= r->at; i++)
		top_model_add_frame(m, r->frames[i]);
	host = top_table_of(r->frames[r->at], "host");
	r->time[0] = '\0';
	if (host)
		top_word(host->schema, "timestamp", top_row_of(host), r->time, sizeof(r->time));
}

void replay_fini(struct replay *r)
{
	for (size_t i = 0; i < r->count; i++)
		drop_frame(r->frames[i]);
	r->count = 0;
}

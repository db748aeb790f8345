/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of all processes together: the sum of their last snapshots, so the sum is never less than
 * one of them. It starts at the first whole sample, because some processes are missing before.
 */
#include "analyze/timeline/timeline_tracker.h"

/* Extends the last value until now. */
static void extend(struct timeline_tracker *b, uint64_t now_ns)
{
	struct timeline_snapshot *all = &b->all.rss;
	struct track *track =
		timeline_track(b, &b->all, TIMELINE_MEMORY, TIMELINE_WHOLE, TRACK_LEVEL);

	if (track && all->time_ns && all->time_ns < now_ns)
		track_level(track, &b->axis, all->time_ns, now_ns, all->value);
}

/* Without processes there is no sum: a gap, not 0. */
static void set(struct timeline_tracker *b, uint64_t now_ns)
{
	struct timeline_snapshot *all = &b->all.rss;
	struct track *track =
		timeline_track(b, &b->all, TIMELINE_MEMORY, TIMELINE_WHOLE, TRACK_LEVEL);

	if (track && b->holders)
		track_level(track, &b->axis, now_ns, now_ns, b->held_rss);
	all->time_ns = b->holders ? now_ns : 0;
	all->value = b->held_rss;
}

static void forget(struct timeline_tracker *b, struct timeline_process *p)
{
	if (p->held_rss <= 0)
		return;
	b->held_rss -= p->held_rss;
	b->holders--;
	p->held_rss = 0;
}

/* The sum is valid as long as one part of it is. */
void timeline_total_read(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns,
	double bytes, bool was_valid)
{
	bool is_valid = was_valid || timeline_still_holds(&b->all.rss, now_ns);

	b->holders += p->held_rss <= 0;
	b->held_rss += bytes - p->held_rss;
	p->held_rss = bytes;
	if (!b->first_rss_ns)
		b->first_rss_ns = now_ns;
	if (!b->is_whole)
		return;
	if (is_valid)
		extend(b, now_ns);
	set(b, now_ns);
}

/* A process that is not in the sample has ended. */
static void forget_missing(struct timeline_tracker *b)
{
	size_t position = 0;
	void *value;

	while (map_next(&b->processes, &position, NULL, &value)) {
		struct timeline_process *p = *(struct timeline_process **)value;

		if (p->rss_round != b->rss_round)
			forget(b, p);
	}
}

void timeline_total_sampled(struct timeline_tracker *b, uint64_t now_ns)
{
	struct timeline_snapshot *all = &b->all.rss;
	bool is_valid = timeline_still_holds(all, now_ns);

	if (b->sampled_ns && b->sampled_ns < now_ns)
		timeline_note_usual(all, now_ns - b->sampled_ns);
	b->sampled_ns = now_ns;
	if (!b->is_whole && b->holders) {
		*all = (struct timeline_snapshot){ b->first_rss_ns, all->usual_ns, b->held_rss };
		b->is_whole = is_valid = true;
	}
	if (!b->is_whole)
		return;
	if (is_valid)
		extend(b, now_ns);
	forget_missing(b);
	set(b, now_ns);
	b->rss_round++;
}

void timeline_total_end(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns)
{
	bool is_valid = timeline_still_holds(&b->all.rss, now_ns);

	if (p->held_rss <= 0)
		return;
	if (b->is_whole && is_valid)
		extend(b, now_ns);
	forget(b, p);
	if (b->is_whole)
		set(b, now_ns);
}

void timeline_total_forget(struct timeline_tracker *b)
{
	size_t position = 0;
	void *value;

	while (map_next(&b->processes, &position, NULL, &value))
		forget(b, *(struct timeline_process **)value);
	b->all.rss.time_ns = b->first_rss_ns = b->sampled_ns = 0;
	b->held_rss = 0;
	b->holders = 0;
	b->is_whole = false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all processes hold together: the sum of what each was read to hold last, so that at no time
 * it is less than one of them. Told from the first whole sample on, as before some are missing.
 */
#include "analyze/timeline/timeline_tracker.h"

/* It was this much until now. */
static void hold(struct timeline_tracker *b, uint64_t now_ns)
{
	struct timeline_snapshot *all = &b->all.rss;
	struct lane *lane =
		timeline_track(b, &b->all, TIMELINE_MEMORY, TIMELINE_WHOLE, TRACK_LEVEL);

	if (lane && all->time_ns && all->time_ns < now_ns)
		track_level(lane, &b->axis, all->time_ns, now_ns, all->value);
}

/* Of nobody there is no sum: it is a gap, no 0. */
static void set(struct timeline_tracker *b, uint64_t now_ns)
{
	struct timeline_snapshot *all = &b->all.rss;
	struct lane *lane =
		timeline_track(b, &b->all, TIMELINE_MEMORY, TIMELINE_WHOLE, TRACK_LEVEL);

	if (lane && b->holders)
		track_level(lane, &b->axis, now_ns, now_ns, b->held_rss);
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

/* It holds as long as a part of it does. */
void timeline_total_read(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns,
	double bytes, bool was_held)
{
	bool is_held = was_held || timeline_is_held(&b->all.rss, now_ns);

	b->holders += p->held_rss <= 0;
	b->held_rss += bytes - p->held_rss;
	p->held_rss = bytes;
	if (!b->first_rss_ns)
		b->first_rss_ns = now_ns;
	if (!b->is_whole)
		return;
	if (is_held)
		hold(b, now_ns);
	set(b, now_ns);
}

/* Who was not in the sample is gone. */
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
	bool is_held = timeline_is_held(all, now_ns);

	if (b->sampled_ns && b->sampled_ns < now_ns)
		timeline_note_usual(all, now_ns - b->sampled_ns);
	b->sampled_ns = now_ns;
	if (!b->is_whole && b->holders) {
		*all = (struct timeline_snapshot){ b->first_rss_ns, all->usual_ns, b->held_rss };
		b->is_whole = is_held = true;
	}
	if (!b->is_whole)
		return;
	if (is_held)
		hold(b, now_ns);
	forget_missing(b);
	set(b, now_ns);
	b->rss_round++;
}

void timeline_total_end(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns)
{
	bool is_held = timeline_is_held(&b->all.rss, now_ns);

	if (p->held_rss <= 0)
		return;
	if (b->is_whole && is_held)
		hold(b, now_ns);
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

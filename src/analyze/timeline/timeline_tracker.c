/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/timeline/timeline_tracker.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "probes/maps.h"
#include "probes/threads.h"

#define TEXTS_MAX (4u << 20)
/* a state is unknown between snapshots so many times the usual time apart */
#define GAP_FACTOR 4
#define NO_GAP_NS  NS_PER_S	    /* least such time */
#define NOT_NEW_NS (20 * NS_PER_MS) /* start times have the resolution of clock ticks */

struct track_key {
	uint32_t group, what;
};

static void process_init(struct timeline_process *p)
{
	map_init(&p->tracks, sizeof(struct track_key), sizeof(struct track *), TIMELINE_TRACKS_MAX);
}

void timeline_tracker_init(struct timeline_tracker *b)
{
	*b = (struct timeline_tracker){ 0 };
	process_init(&b->all);
	map_init(&b->processes, sizeof(struct process_id), sizeof(struct timeline_process *),
		TIMELINE_PROCESSES_MAX);
	snapshots_init(&b->maps, MAPS_PROCESS);
	b->texts.limit = TEXTS_MAX;
}

static void process_fini(struct timeline_tracker *b, struct timeline_process *p)
{
	map_for_each_pointer (&p->tracks, struct track *, track)
		free(track);
	b->track_count -= p->tracks.count;
	map_fini(&p->tracks);
	map_fini(&p->threads.known);
}

void timeline_tracker_fini(struct timeline_tracker *b)
{
	map_for_each_pointer (&b->processes, struct timeline_process *, p) {
		process_fini(b, p);
		free(p);
	}
	process_fini(b, &b->all);
	map_fini(&b->processes);
	snapshots_fini(&b->maps);
	buffer_fini(&b->events);
	buffer_fini(&b->texts);
}

/* --- tracks --- */

struct track *timeline_track(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, uint32_t what, enum track_kind kind)
{
	struct track_key key = { group, what };
	struct track **at = map_get(&p->tracks, &key);
	struct track *track;

	if (at)
		return *at;
	if (b->track_count >= TIMELINE_TRACKS_MAX || !(track = calloc(1, sizeof(*track)))) {
		b->refused_tracks++;
		return NULL;
	}
	track->kind = kind;
	at = map_put(&p->tracks, &key, NULL);
	if (!at) {
		free(track);
		return NULL;
	}
	b->track_count++;
	return *at = track;
}

struct track *timeline_track_next(const struct timeline_process *p, size_t *position,
	enum timeline_group *group, uint32_t *what)
{
	const void *key;
	void *value;

	if (!map_next(&p->tracks, position, &key, &value))
		return NULL;
	*group = (enum timeline_group)((const struct track_key *)key)->group;
	*what = ((const struct track_key *)key)->what;
	return *(struct track **)value;
}

void timeline_rate(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, uint32_t what, const struct timeline_span *span, double amount)
{
	struct track *track = timeline_track(b, p, group, what, TRACK_RATE);
	bool is_of_all = group != TIMELINE_CPU || what == TIMELINE_WHOLE;
	struct track *all = is_of_all ? timeline_track(b, &b->all, group, what, TRACK_COUNT) : NULL;

	if (track)
		track_rate(track, &b->axis, span->from_ns, span->to_ns, amount);
	if (all)
		track_rate(all, &b->axis, span->from_ns, span->to_ns, amount);
}

struct track *timeline_sum(
	const struct timeline_tracker *b, enum timeline_group group, uint32_t what)
{
	struct track_key key = { group, group == TIMELINE_CPU ? TIMELINE_WHOLE : what };
	struct track **at = map_get(&b->all.tracks, &key);

	return at ? *at : NULL;
}

void timeline_cover_sums(struct timeline_tracker *b, struct timeline_process *p)
{
	enum timeline_group group;
	size_t position = 0;
	struct track *part;
	uint32_t what;

	while ((part = timeline_track_next(p, &position, &group, &what))) {
		struct track *sum = timeline_sum(b, group, what);

		/* Roles are from another probe, whose snapshots do not cover this sum. */
		if (sum && sum->kind != TRACK_LEVEL && (group != TIMELINE_CPU || !what))
			track_cover_part(sum, part, &b->axis);
	}
}

static void timeline_note_usual(struct timeline_snapshot *snapshot, uint64_t ns)
{
	snapshot->usual_ns = snapshot->usual_ns ? (3 * snapshot->usual_ns + ns) / 4 : ns;
}

static bool is_gap_after(const struct timeline_snapshot *snapshot, uint64_t ns)
{
	return ns > NO_GAP_NS && snapshot->usual_ns && ns > GAP_FACTOR * snapshot->usual_ns;
}

static bool timeline_still_holds(const struct timeline_snapshot *snapshot, uint64_t now_ns)
{
	return snapshot->time_ns && now_ns > snapshot->time_ns &&
	       (snapshot->is_complete || !is_gap_after(snapshot, now_ns - snapshot->time_ns));
}

bool timeline_state(struct timeline_tracker *b, struct timeline_process *p,
	enum timeline_group group, struct timeline_snapshot *snapshot, uint32_t what,
	uint64_t now_ns, double value)
{
	struct track *track = timeline_track(b, p, group, what, TRACK_LEVEL);
	uint64_t since_ns = snapshot->time_ns ? now_ns - snapshot->time_ns : 0;
	bool is_valid = timeline_still_holds(snapshot, now_ns);

	if (!track)
		return false;
	if (is_valid)
		track_level(track, &b->axis, snapshot->time_ns, now_ns, snapshot->value);
	track_level(track, &b->axis, now_ns, now_ns, value);
	if (since_ns)
		timeline_note_usual(snapshot, since_ns);
	snapshot->time_ns = now_ns;
	snapshot->value = value;
	return is_valid;
}

/* --- processes --- */

/* Returns the ended process that used least CPU; NULL: all are living. */
static struct timeline_process *least_ended(const struct timeline_tracker *b)
{
	struct timeline_process *least = NULL;

	map_for_each_pointer (&b->processes, struct timeline_process *, p) {
		if (p->end_ns && (!least || p->cpu_total_ns < least->cpu_total_ns))
			least = p;
	}
	return least;
}

static bool make_room(struct timeline_tracker *b)
{
	struct timeline_process *least;

	if (b->processes.count < TIMELINE_PROCESSES_MAX)
		return true;
	least = least_ended(b);
	if (!least)
		return false;
	b->given_up++;
	timeline_cover_sums(b, least);
	timeline_total_end(b, least, least->last_ns);
	map_remove(&b->processes, &least->id);
	process_fini(b, least);
	free(least);
	return true;
}

static uint64_t started_ns(const struct timeline_tracker *b, const struct sooth_record *r)
{
	const struct stream_segment *s = &b->segment;
	int64_t at_ns;

	if (!s->record.time_ns || !s->ticks_per_s || !b->has_begun)
		return 0;
	/* Only invalid records make this wrap. */
	at_ns = (int64_t)(r->start_ticks * (NS_PER_S / s->ticks_per_s) -
			  (uint64_t)s->boottime_offset_ns);
	return at_ns > (int64_t)(b->axis.begin_ns + NOT_NEW_NS) ? (uint64_t)at_ns : 0;
}

/* Makes a process. If it started during the timeline, it had used nothing before. */
static struct timeline_process *process_new(
	struct timeline_tracker *b, const struct sooth_record *r)
{
	struct timeline_process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	process_init(p);
	p->id = process_id_of(r);
	p->first_ns = r->time_ns;
	p->started_ns = started_ns(b, r);
	p->cpu_time_ns = p->threads.time_ns = p->started_ns;
	return p;
}

struct timeline_process *timeline_process_of(
	struct timeline_tracker *b, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct timeline_process **at = map_get(&b->processes, &id), *p;

	if (at) {
		(*at)->last_ns = r->time_ns;
		return *at;
	}
	if (!r->pid || !make_room(b) || !(p = process_new(b, r))) {
		b->refused_processes += r->pid != 0;
		return NULL;
	}
	at = map_put(&b->processes, &id, NULL);
	if (!at) {
		process_fini(b, p);
		free(p);
		return NULL;
	}
	p->last_ns = r->time_ns;
	return *at = p;
}

/* --- events --- */

static void copy_name(char to[PROCESS_NAME_SIZE], struct span name)
{
	size_t size = name.size < PROCESS_NAME_SIZE - 1 ? name.size : PROCESS_NAME_SIZE - 1;

	memset(to, 0, PROCESS_NAME_SIZE);
	memcpy(to, name.data, size);
}

void timeline_event(struct timeline_tracker *b, const struct sooth_record *r, uint64_t at_ns,
	enum timeline_event what, struct span name, struct span detail)
{
	struct timeline_event_kept e = { .id = process_id_of(r), .at_ns = at_ns, .what = what };

	if (b->events.size >= TIMELINE_EVENTS_MAX * sizeof(e) ||
		b->texts.size + detail.size > TEXTS_MAX) {
		b->refused_events++;
		return;
	}
	copy_name(e.name, name);
	e.detail = (struct sooth_text){ (uint32_t)b->texts.size, (uint32_t)detail.size };
	buffer_append(&b->texts, detail.data, detail.size);
	buffer_append(&b->events, &e, sizeof(e));
}

/* --- the total --- */

/* Memory of all processes: the sum of their last snapshots, so it is never less than one of them.
 * It starts at the first whole sample, because earlier some processes are missing. */

/* Extends the last value to the present. */
static void extend_rss(struct timeline_tracker *b, uint64_t now_ns)
{
	struct timeline_snapshot *all = &b->all.rss;
	struct track *track =
		timeline_track(b, &b->all, TIMELINE_MEMORY, TIMELINE_WHOLE, TRACK_LEVEL);

	if (track && all->time_ns && all->time_ns < now_ns)
		track_level(track, &b->axis, all->time_ns, now_ns, all->value);
}

/* Sets the sum; without processes there is a gap, not 0. */
static void set_memory_sum(struct timeline_tracker *b, uint64_t now_ns)
{
	struct timeline_snapshot *all = &b->all.rss;
	struct track *track =
		timeline_track(b, &b->all, TIMELINE_MEMORY, TIMELINE_WHOLE, TRACK_LEVEL);

	if (track && b->holders)
		track_level(track, &b->axis, now_ns, now_ns, b->held_rss);
	all->time_ns = b->holders ? now_ns : 0;
	all->value = b->held_rss;
}

static void forget_rss(struct timeline_tracker *b, struct timeline_process *p)
{
	if (p->held_rss <= 0)
		return;
	b->held_rss -= p->held_rss;
	b->holders--;
	p->held_rss = 0;
}

/* Adds a process's memory to the sum, which is valid as long as one part is. */
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
		extend_rss(b, now_ns);
	set_memory_sum(b, now_ns);
}

/* Ends processes that are not in the sample. */
static void forget_missing(struct timeline_tracker *b)
{
	map_for_each_pointer (&b->processes, struct timeline_process *, p) {
		if (p->rss_round != b->rss_round)
			forget_rss(b, p);
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
		all->time_ns = b->first_rss_ns;
		all->value = b->held_rss;
		b->is_whole = is_valid = true;
	}
	if (!b->is_whole)
		return;
	if (is_valid)
		extend_rss(b, now_ns);
	forget_missing(b);
	set_memory_sum(b, now_ns);
	b->rss_round++;
}

void timeline_total_end(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns)
{
	bool is_valid = timeline_still_holds(&b->all.rss, now_ns);

	if (p->held_rss <= 0)
		return;
	if (b->is_whole && is_valid)
		extend_rss(b, now_ns);
	forget_rss(b, p);
	if (b->is_whole)
		set_memory_sum(b, now_ns);
}

void timeline_total_forget(struct timeline_tracker *b)
{
	map_for_each_pointer (&b->processes, struct timeline_process *, p)
		forget_rss(b, p);
	b->all.rss.time_ns = b->first_rss_ns = b->sampled_ns = 0;
	b->held_rss = 0;
	b->holders = 0;
	b->is_whole = false;
}

/* --- threads --- */

/* CPU time by thread role, and bytes moved: differences between snapshots of the probe threads.
 * What a thread used after its last snapshot is missing. */

struct thread_key {
	uint64_t start_ticks;
	uint64_t tid;
};

struct thread_known {
	uint64_t cpu_ns, read_bytes, written_bytes;
	uint32_t round;
	uint32_t unused;
};

static struct thread_known *known_thread_of(
	struct timeline_threads *t, const struct threads_thread *r, bool *is_new)
{
	struct thread_key key = { r->thread_start_ticks, r->record.tid };

	if (!t->known.key_size)
		map_init(&t->known, sizeof(key), sizeof(struct thread_known), TIMELINE_THREADS_MAX);
	return map_put(&t->known, &key, is_new);
}

/* Adds a thread. If it is new in this snapshot, all of its use came since the last one. */
static void add_thread(struct timeline_process *p, const struct threads_thread *r)
{
	struct timeline_threads *t = &p->threads;
	struct span name = record_text(&r->record, &r->name);
	struct span process = span_of(p->name, strnlen(p->name, sizeof(p->name)));
	enum thread_role role = thread_role_of(name, process, r->record.tid == r->record.pid);
	bool has_io = record_holds(&r->record, THREADS_THREAD_WITH_TIMES) && !r->io_state;
	struct thread_known *known, before;
	bool is_new;

	known = known_thread_of(t, r, &is_new);
	if (!known) {
		t->is_partial = true;
		return;
	}
	before = *known;
	known->round = t->round;
	if (!r->cpu_state) {
		t->cpu_ns[role] += (double)increase_u64(r->cpu_ns, before.cpu_ns);
		t->has_role[role] = t->has_cpu = true;
		known->cpu_ns = r->cpu_ns;
	}
	if (has_io) {
		t->read_bytes += (double)increase_u64(r->read_bytes, before.read_bytes);
		t->written_bytes += (double)increase_u64(r->written_bytes, before.written_bytes);
		known->read_bytes = r->read_bytes;
		known->written_bytes = r->written_bytes;
		t->has_io = true;
	}
}

static void forget_gone(struct timeline_threads *t)
{
	map_for_each (&t->known, const void *, key, struct thread_known *, value) {
		if (value->round != t->round)
			map_remove(&t->known, key);
	}
}

/* Emits roles. A role whose threads have ended uses nothing; one without threads has no track. */
static void emit_roles(struct timeline_tracker *b, struct timeline_process *p, uint64_t now_ns)
{
	struct timeline_threads *t = &p->threads;
	struct timeline_span span = { t->time_ns, now_ns }, before = { t->first_ns, t->time_ns };

	for (uint32_t i = 0; i < THREAD_ROLES && t->has_cpu; i++) {
		if (!t->has_role[i] && !t->had_role[i])
			continue;
		/* Before its first thread a role used nothing. */
		if (!t->is_reported[i] && before.to_ns > before.from_ns)
			timeline_rate(b, p, TIMELINE_CPU, 1 + i, &before, 0);
		t->is_reported[i] = true;
		timeline_rate(b, p, TIMELINE_CPU, 1 + i, &span, t->cpu_ns[i] / 1e7);
	}
	if (!t->has_io)
		return;
	timeline_rate(b, p, TIMELINE_IO, TIMELINE_READ, &span, t->read_bytes);
	timeline_rate(b, p, TIMELINE_IO, TIMELINE_WRITTEN, &span, t->written_bytes);
}

static void finish_snapshot(
	struct timeline_tracker *b, struct timeline_process *p, const struct threads_process *r)
{
	struct timeline_threads *t = &p->threads;

	if (r->threads) {
		if (t->time_ns)
			emit_roles(b, p, r->record.time_ns);
		forget_gone(t);
		t->time_ns = r->record.time_ns;
		if (!t->first_ns)
			t->first_ns = t->time_ns;
		memcpy(t->had_role, t->has_role, sizeof(t->had_role));
	}
	memset(t->cpu_ns, 0, sizeof(t->cpu_ns));
	memset(t->has_role, 0, sizeof(t->has_role));
	t->read_bytes = t->written_bytes = 0;
	t->has_io = t->has_cpu = false;
	t->round++;
}

void timeline_threads_add_record(struct timeline_tracker *b, const struct sooth_record *r)
{
	const struct threads_thread *thread = record_as(r, THREADS_THREAD, THREADS_THREAD_LEAST);
	const struct threads_process *end = record_as(r, THREADS_PROCESS, sizeof(*end));
	struct timeline_process *p = thread || end ? timeline_process_of(b, r) : NULL;

	if (p && thread)
		add_thread(p, thread);
	else if (p)
		finish_snapshot(b, p, end);
}

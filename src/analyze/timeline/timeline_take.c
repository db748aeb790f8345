/* SPDX-License-Identifier: BSD-2-Clause */
/* Adds each record to the tracks that it is about. */
#include "analyze/diagnosis/endings.h"
#include "analyze/timeline/timeline_tracker.h"
#include "base/units.h"
#include "probes/exit_reasons.h"
#include "probes/fds.h"
#include "probes/heap.h"
#include "probes/maps.h"
#include "probes/proc.h"
#include "probes/syscalls.h"

static void set_name(struct timeline_process *p, struct span name)
{
	size_t size = name.size < sizeof(p->name) - 1 ? name.size : sizeof(p->name) - 1;

	if (!name.size)
		return;
	memset(p->name, 0, sizeof(p->name));
	memcpy(p->name, name.data, size);
}

static struct span name_of(const char name[PROCESS_NAME_SIZE])
{
	return span_of(name, strnlen(name, PROCESS_NAME_SIZE));
}

/* --- the run --- */

static struct timeline_span *last_span(struct timeline_tracker *b)
{
	return b->observed_count ? &b->observed[b->observed_count - 1] : NULL;
}

/* Forgets snapshots from before a pause: they say nothing about the time after it. */
static void forget_snapshots(struct timeline_tracker *b)
{
	map_for_each_pointer (&b->processes, struct timeline_process *, p) {
		p->cpu_time_ns = p->threads.time_ns = p->rss.time_ns = p->heap.time_ns =
			p->fds.time_ns = 0;
		p->threads.first_ns = p->maps_ns = 0;
		map_clear(&p->threads.known);
		for (size_t i = 0; i < MAP_CLASSES; i++)
			p->classes[i].time_ns = 0;
		for (size_t i = 0; i < RESIDENT_MEMBERS; i++)
			p->kinds[i].time_ns = 0;
	}
	timeline_total_forget(b);
}

/* Begins the axis, although the first snapshot is older. */
static void begin_axis(struct timeline_tracker *b, const struct sooth_record *r)
{
	if (!b->has_begun)
		track_axis_begin(&b->axis, r->time_ns);
	b->has_begun = true;
}

/* Handles the begin record, which every segment repeats. */
static void handle_begin(struct timeline_tracker *b, const struct sooth_record *r)
{
	struct timeline_span *last = last_span(b);

	if (last && (!last->to_ns || r->time_ns <= last->to_ns))
		return;
	if (last)
		forget_snapshots(b);
	begin_axis(b, r);
	if (b->observed_count < TIMELINE_SPANS_MAX)
		b->observed[b->observed_count++] = (struct timeline_span){ r->time_ns, 0 };
}

static void handle_end(struct timeline_tracker *b, const struct sooth_record *r)
{
	struct timeline_span *last = last_span(b);

	if (last && !last->to_ns)
		last->to_ns = r->time_ns;
}

static void handle_loss(struct timeline_tracker *b, const struct stream_loss *l)
{
	struct track *track =
		timeline_track(b, &b->all, TIMELINE_LOST, TIMELINE_WHOLE, TRACK_COUNT);
	uint64_t from_ns =
		l->from_ns && l->from_ns < l->record.time_ns ? l->from_ns : l->record.time_ns - 1;
	struct buffer words = { 0 };

	if (track)
		track_rate(track, &b->axis, from_ns, l->record.time_ns, (double)l->records);
	buffer_format(&words, "%llu records of ", (unsigned long long)l->records);
	buffer_append(&words, record_text(&l->record, &l->source).data,
		record_text(&l->record, &l->source).size);
	buffer_string(&words, ": ");
	buffer_append(&words, record_text(&l->record, &l->reason).data,
		record_text(&l->record, &l->reason).size);
	timeline_event(b, &(struct sooth_record){ 0 }, l->record.time_ns, TIMELINE_EVENT_LOSS,
		span_of("", 0), span_of((const char *)words.data, words.size));
	buffer_fini(&words);
}

static bool handle_stream_record(struct timeline_tracker *b, const struct sooth_record *r)
{
	const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));

	if (r->kind == STREAM_BEGIN)
		handle_begin(b, r);
	else if (r->kind == STREAM_END)
		handle_end(b, r);
	else if (record_as(r, STREAM_SEGMENT, sizeof(b->segment)) && !b->segment.record.time_ns)
		memcpy(&b->segment, r, sizeof(b->segment));
	else if (loss && b->has_begun)
		handle_loss(b, loss);
	b->is_launched |= target_is_command(r);
	return r->kind <= KIND_STREAM_LAST && (r->kind < PROCESS_JOIN || r->kind > PROCESS_LEAVE);
}

/* --- resident memory at each change --- */

static void set_level(struct timeline_tracker *b, struct timeline_process *p, uint64_t at_ns,
	const double bytes[RESIDENT_MEMBERS])
{
	for (uint32_t i = 0; i < RESIDENT_MEMBERS; i++) {
		if (bytes[i] <= 0 && !p->kinds[i].time_ns)
			continue;
		p->kinds[i].is_complete = true;
		timeline_state(b, p, TIMELINE_RESIDENT, &p->kinds[i], i, at_ns, bytes[i]);
	}
}

/* Adds a change. The value of a moment that a later change showed to be the highest one comes
 * late. */
static void add_level(struct timeline_tracker *b, const struct resident_level *r)
{
	struct timeline_process *p = timeline_process_of(b, &r->record);
	double sum = (double)resident_sum(r->bytes), bytes[RESIDENT_MEMBERS];
	uint64_t at_ns = r->at_ns;
	bool was_valid;

	if (!p)
		return;
	for (size_t i = 0; i < RESIDENT_MEMBERS; i++)
		bytes[i] = (double)r->bytes[i];
	if (p->end_ns && at_ns > p->end_ns)
		at_ns = p->end_ns;
	at_ns = at_ns > p->rss.time_ns ? at_ns : p->rss.time_ns + 1;
	b->has_levels = p->rss.is_complete = true;
	b->all.rss.is_complete = b->is_launched;
	b->is_whole |= b->is_launched;
	p->rss_round = b->rss_round;
	was_valid = timeline_state(b, p, TIMELINE_MEMORY, &p->rss, TIMELINE_WHOLE, at_ns, sum);
	if (!p->end_ns)
		timeline_total_read(b, p, at_ns, sum, was_valid);
	set_level(b, p, at_ns, bytes);
}

/* Extends the last values to the end of the process. */
static void end_level(struct timeline_tracker *b, struct timeline_process *p)
{
	double bytes[RESIDENT_MEMBERS];

	if (!p->rss.is_complete || p->end_ns <= p->rss.time_ns)
		return;
	for (size_t i = 0; i < RESIDENT_MEMBERS; i++)
		bytes[i] = p->kinds[i].value;
	timeline_state(b, p, TIMELINE_MEMORY, &p->rss, TIMELINE_WHOLE, p->end_ns, p->rss.value);
	set_level(b, p, p->end_ns, bytes);
}

/* --- starts and ends --- */

static void handle_join(struct timeline_tracker *b, const struct process_join *j)
{
	struct timeline_process *p = timeline_process_of(b, &j->record);

	if (!p)
		return;
	set_name(p, name_of(j->name));
	if (p->started_ns)
		timeline_event(b, &j->record, j->record.time_ns, TIMELINE_EVENT_START,
			name_of(p->name), span_of("", 0));
}

static void handle_exec(struct timeline_tracker *b, const struct sooth_record *r)
{
	const struct process_exec *e = (const void *)r;
	struct timeline_process *p = timeline_process_of(b, r);
	struct buffer words = { 0 };
	struct span arguments = span_of("", 0);

	if (p)
		set_name(p, name_of(e->name));
	if (record_holds(r, sizeof(*e)) && e->arguments_state <= SOOTH_STATE_TRUNCATED)
		arguments = record_text(r, &e->arguments);
	while (arguments.size && !arguments.data[arguments.size - 1])
		arguments.size--;
	for (size_t i = 0; i < arguments.size; i++)
		buffer_char(&words, arguments.data[i] ? arguments.data[i] : ' ');
	timeline_event(b, r, r->time_ns, TIMELINE_EVENT_EXEC, name_of(e->name),
		span_of((const char *)words.data, words.size));
	buffer_fini(&words);
}

/* Adds an end. The exits probe and the follower both report it: the first report counts. */
static void add_end(struct timeline_tracker *b, const struct sooth_record *r, uint32_t status,
	bool has_status, struct span name)
{
	struct timeline_process *p = timeline_process_of(b, r);
	struct buffer words = { 0 };

	if (!p || p->end_ns)
		return;
	set_name(p, name);
	p->end_ns = r->time_ns;
	p->status = status;
	p->has_status = has_status;
	if (has_status)
		exit_reason_text_status(&words, status);
	end_level(b, p);
	timeline_total_end(b, p, r->time_ns);
	timeline_event(b, r, r->time_ns, TIMELINE_EVENT_END, name_of(p->name),
		span_of((const char *)words.data, words.size));
	buffer_fini(&words);
}

static bool handle_start_or_exit(struct timeline_tracker *b, const struct sooth_record *r)
{
	const struct process_join *join = record_as(r, PROCESS_JOIN, sizeof(*join));
	const struct process_leave *leave = record_as(r, PROCESS_LEAVE, sizeof(*leave));
	const struct exit_reasons_end *end = record_as(r, EXIT_REASONS_END, sizeof(*end));
	const struct exit_reasons_oom *oom = record_as(r, EXIT_REASONS_OOM, sizeof(*oom));

	if (join)
		handle_join(b, join);
	else if (record_as(r, PROCESS_EXEC, PROCESS_EXEC_LEAST))
		handle_exec(b, r);
	else if (leave)
		add_end(b, r, leave->status, !leave->status_state, name_of(leave->name));
	else if (end)
		add_end(b, r, end->status, !end->status_state, name_of(end->name));
	else if (oom)
		timeline_event(b, r, r->time_ns, TIMELINE_EVENT_OOM, span_of("", 0),
			span_of_string("killed by the kernel: out of memory"));
	else
		return false;
	return true;
}

/* --- samples --- */

static void add_process(struct timeline_tracker *b, const struct proc_process *r)
{
	struct timeline_process *p = timeline_process_of(b, &r->record);
	struct timeline_span span = { 0, r->record.time_ns };
	double used;
	bool was_valid;

	if (!p)
		return;
	set_name(p, record_text(&r->record, &r->name));
	used = r->cpu_ns > p->cpu_ns ? (double)(r->cpu_ns - p->cpu_ns) : 0;
	span.from_ns = p->cpu_time_ns;
	if (p->cpu_time_ns) {
		timeline_rate(b, p, TIMELINE_CPU, TIMELINE_WHOLE, &span, used / 1e7);
		p->cpu_total_ns += used;
	}
	p->cpu_time_ns = span.to_ns;
	p->cpu_ns = r->cpu_ns;
	p->rss_round = b->rss_round;
	/* The kernel's counter lags: 0 is not true for a living process. */
	if (!r->rss_bytes)
		return;
	was_valid = timeline_state(b, p, TIMELINE_MEMORY, &p->rss, TIMELINE_WHOLE,
		r->record.time_ns, (double)r->rss_bytes);
	timeline_total_read(b, p, r->record.time_ns, (double)r->rss_bytes, was_valid);
}

/* Adds memory by class, from a whole snapshot with values. */
static void add_memory_classes(struct timeline_tracker *b, const struct maps_process *end)
{
	struct process_id id = process_id_of(&end->record);
	const struct snapshot *one = snapshots_get(&b->maps, &id);
	struct timeline_process *p = timeline_process_of(b, &end->record);
	struct map_total totals[MAP_CLASSES];

	if (!p || !one || !end->mappings || end->figures_state || map_totals(one, totals))
		return;
	for (uint32_t i = 0; i < MAP_CLASSES; i++) {
		struct timeline_snapshot *snapshot = &p->classes[i];

		if (!totals[i].rss_bytes && !snapshot->time_ns)
			continue;
		/* earlier snapshots had zero */
		if (!snapshot->time_ns)
			snapshot->time_ns = p->maps_ns;
		timeline_state(b, p, TIMELINE_MEMORY, &p->classes[i], 1 + i, end->record.time_ns,
			(double)totals[i].rss_bytes);
	}
	if (!p->maps_ns)
		p->maps_ns = end->record.time_ns;
}

/* Adds the number of open descriptors, unless there are more than were read. */
static void add_descriptors(struct timeline_tracker *b, const struct fds_process *end)
{
	struct timeline_process *p = timeline_process_of(b, &end->record);

	if (!p || end->descriptors_state)
		return;
	b->has_fds = true;
	timeline_state(b, p, TIMELINE_FDS, &p->fds, TIMELINE_WHOLE, end->record.time_ns,
		(double)end->descriptors);
}

/* --- allocations, as the kernel adds them up --- */

/* Adds the values of a heap.held record. Sampled values have no weight and are skipped. */
static void add_heap_values(struct timeline_tracker *b, const struct heap_held *h)
{
	struct timeline_process *p = timeline_process_of(b, &h->record);

	if (!p || h->program < p->heap_program ||
		(record_holds(&h->record, sizeof(*h)) && h->sample_bytes))
		return;
	p->heap_program = h->program;
	timeline_state(b, p, TIMELINE_HEAP, &p->heap, TIMELINE_WHOLE, h->record.time_ns,
		(double)h->live_bytes);
}

/* Adds allocation rates; a window without allocations and frees has no record. */
static void add_heap_rate(struct timeline_tracker *b, struct timeline_process *p, uint32_t what,
	const struct timeline_span *span, uint64_t bytes)
{
	struct timeline_process *const of[] = { p, &b->all };

	for (size_t i = 0; i < 2; i++) {
		struct track *track =
			timeline_track(b, of[i], TIMELINE_HEAP_RATE, what, TRACK_COUNT);

		if (track)
			track_rate(track, &b->axis, span->from_ns, span->to_ns, (double)bytes);
	}
}

static void add_heap_sum(struct timeline_tracker *b, const struct heap_sum *s)
{
	struct timeline_process *p = timeline_process_of(b, &s->record);
	struct timeline_span span = { s->from_ns, s->record.time_ns };

	if (!p || (record_holds(&s->record, sizeof(*s)) && s->sample_bytes))
		return;
	if (span.from_ns >= span.to_ns)
		span.from_ns = span.to_ns - 1;
	add_heap_rate(b, p, TIMELINE_ALLOCATED, &span, s->allocated_bytes);
	add_heap_rate(b, p, TIMELINE_FREED, &span, s->freed_bytes);
	add_heap_rate(b, p, TIMELINE_SHORT_LIVED, &span, s->short_bytes);
}

/* --- calls --- */

static uint32_t category_of(uint32_t abi, uint32_t number)
{
	const struct syscall_row *known = syscall_by_number(abi, number);

	return known ? known->category : SYSCALL_CATEGORY_OTHER;
}

static void add_calls(struct timeline_tracker *b, struct timeline_process *p, uint32_t what,
	const struct timeline_span *span, double count)
{
	struct timeline_process *const of[] = { p, &b->all };

	for (size_t i = 0; i < 2; i++) {
		struct track *track =
			of[i] ? timeline_track(b, of[i], TIMELINE_CALLS, what, TRACK_COUNT) : NULL;

		if (track && span->from_ns)
			track_rate(track, &b->axis, span->from_ns, span->to_ns, count);
		else if (track)
			track_count(track, &b->axis, span->to_ns, count);
	}
}

static bool has_failed(const struct syscalls_call *c)
{
	return !c->result_state && c->result < 0 && c->result >= -4095;
}

static void add_call(struct timeline_tracker *b, const struct syscalls_call *c)
{
	struct timeline_process *p = timeline_process_of(b, &c->record);
	struct timeline_span at = { 0, c->record.time_ns };

	b->has_calls = true;
	add_calls(b, p, category_of(c->abi, c->number), &at, 1);
	if (has_failed(c))
		add_calls(b, p, TIMELINE_FAILED, &at, 1);
}

/* Adds an aggregate. Its calls are spread evenly over its window. */
static void add_counted_calls(struct timeline_tracker *b, const struct syscalls_count *c)
{
	struct timeline_process *p;
	struct timeline_span span = { c->from_ns, c->record.time_ns };

	if (b->has_calls)
		return; /* these calls were recorded one by one */
	b->has_aggregates = true;
	p = timeline_process_of(b, &c->record);
	if (!span.from_ns || span.from_ns >= span.to_ns)
		span.from_ns = span.to_ns - 1;
	if (c->count)
		add_calls(b, p, category_of(c->abi, c->number), &span, (double)c->count);
	if (c->errors)
		add_calls(b, p, TIMELINE_FAILED, &span, (double)c->errors);
}

void timeline_tracker_add_record(struct timeline_tracker *b, const struct sooth_record *r)
{
	const void *known;

	if (handle_stream_record(b, r) || r->kind & KIND_DEFINITION) {
		if (b->has_begun && r->kind == STREAM_END)
			track_axis_reach(&b->axis, r->time_ns);
		return;
	}
	begin_axis(b, r);
	track_axis_reach(&b->axis, r->time_ns);
	if (handle_start_or_exit(b, r))
		return;
	snapshots_add_record(&b->maps, r);
	timeline_threads_add_record(b, r);
	if ((known = record_as(r, PROC_PROCESS, PROC_PROCESS_LEAST)))
		add_process(b, known);
	else if (r->kind == PROC_SNAPSHOT)
		timeline_total_sampled(b, r->time_ns);
	else if ((known = record_as(r, RESIDENT_LEVEL, sizeof(struct resident_level))))
		add_level(b, known);
	else if ((known = record_as(r, MAPS_PROCESS, sizeof(struct maps_process))))
		add_memory_classes(b, known);
	else if ((known = record_as(r, FDS_PROCESS, sizeof(struct fds_process))))
		add_descriptors(b, known);
	else if ((known = record_as(r, HEAP_HELD, HEAP_HELD_LEAST)))
		add_heap_values(b, known);
	else if ((known = record_as(r, HEAP_SUM, HEAP_SUM_LEAST)))
		add_heap_sum(b, known);
	else if ((known = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST)))
		add_call(b, known);
	else if ((known = record_as(r, SYSCALLS_COUNT, SYSCALLS_COUNT_LEAST)))
		add_counted_calls(b, known);
}

/* --- at the end --- */

/* Marks a count as measured while its process lives and the recording goes on. */
static void cover_track(
	struct timeline_tracker *b, struct track *track, uint64_t from_ns, uint64_t to_ns)
{
	for (size_t i = 0; i < b->observed_count; i++) {
		const struct timeline_span *o = &b->observed[i];
		uint64_t from = from_ns > o->from_ns ? from_ns : o->from_ns;
		uint64_t until = o->to_ns ? o->to_ns : b->axis.end_ns;

		track_cover(track, &b->axis, from, to_ns < until ? to_ns : until);
	}
}

static void cover_tracks(struct timeline_tracker *b, struct timeline_process *p)
{
	uint64_t from_ns = p->started_ns, to_ns = p->end_ns ? p->end_ns : UINT64_MAX;
	enum timeline_group group;
	size_t position = 0;
	struct track *track;
	uint32_t what;

	while ((track = timeline_track_next(p, &position, &group, &what))) {
		if (track->kind != TRACK_COUNT)
			continue;
		if (group == TIMELINE_CALLS || group == TIMELINE_LOST ||
			group == TIMELINE_HEAP_RATE)
			cover_track(b, track, from_ns, to_ns);
		else
			cover_track(b, track, track->from_ns, track->to_ns);
	}
}

void timeline_tracker_resolve(struct timeline_tracker *b)
{
	struct timeline_span *last = last_span(b);

	if (last && !last->to_ns)
		last->to_ns = b->axis.end_ns;
	/* the last sample may be incomplete */
	if (!b->is_whole && b->first_rss_ns)
		timeline_total_sampled(b, b->axis.end_ns);
	map_for_each_pointer (&b->processes, struct timeline_process *, p)
		cover_tracks(b, p);
	cover_tracks(b, &b->all);
	map_for_each_pointer (&b->processes, struct timeline_process *, p)
		timeline_cover_sums(b, p);
}

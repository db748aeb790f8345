/* SPDX-License-Identifier: BSD-2-Clause */
/* goroutines-stuck: goroutines of a Go program wait for each other, and nothing else could let them
 * go on. Go itself ends a program in which all goroutines wait, but not if the program has a signal
 * handler, a server or a timer. */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_goroutines.h"

NUMBER(QUIET_PERCENT, 2, PERCENT, "of a CPU that a quiet program uses at most");
NUMBER(QUIET_SWITCHES, 8, NONE, "a second, of a quiet program: a timer and the runtime make some");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 10e9, 1e9, 86400e9, "minimum time these goroutines wait"),
	TIME_THRESHOLD("min-time-at-rest", 4e9, 1e9, 86400e9,
		"the same where no other goroutine could go on and no thread ran"),
};

struct stuck {
	const struct waits_goroutines *main, *wants_lock; /* the largest group of these */
	uint64_t lock_count, others;
	bool is_one_at_work; /* a goroutine neither wants a lock nor accepts clients or signals */
	bool has_writer, has_reader; /* goroutines want to write-lock, to read-lock */
	uint64_t idle_ns;	     /* time since threads last ran; 0: just now, or unknown */
	bool main_goes_on;	     /* main is in a call, waits for input or time, or runs */
	bool others_work;	     /* another goroutine does so; not one that accepts clients */
	bool others_take;	     /* a working goroutine may take from a channel later */
	bool others_may_take;	     /* a goroutine receives from a channel, such as a timer's */
	bool others_go_on;	     /* another goroutine may be woken from outside, or runs */
};

static bool is_of_signals(const struct waits_goroutines *w)
{
	return span_starts(record_text(&w->record, &w->start), "os/signal.");
}

/* Returns whether the goroutine waits for the next request of a connected client: it takes nothing
 * from a channel. */
static bool is_of_http(const struct waits_goroutines *w)
{
	return span_starts(record_text(&w->record, &w->start), "net/http.") &&
	       (wait_goroutines_want_event(w) || w->state == WAITS_GOROUTINE_WAITS);
}

/* Returns whether the goroutine accepts clients: it has no lock meanwhile. The second function is
 * that of net/http for each request: it waits for the client to hang up. */
static bool accepts_clients(const struct waits_goroutines *w)
{
	struct span by = record_text(&w->record, &w->by);

	return span_contains(by, "Accept") || span_contains(by, "Serve") ||
	       span_starts(record_text(&w->record, &w->start), "net/http.(*connReader).");
}

static void find_stuck(struct stuck *s, const struct wait_graph *g, uint32_t pid)
{
	wait_goroutines_each (g, pid, w) {
		if (wait_goroutines_want_lock(w)) {
			s->lock_count += w->count;
			s->has_writer |= wait_goroutines_want_to_write(w);
			s->has_reader |= !wait_goroutines_want_to_write(w);
			if (!s->wants_lock || w->count > s->wants_lock->count)
				s->wants_lock = w;
		}
		s->others_take |= !wait_goroutines_want_goroutine(w) &&
				  !wait_goroutines_want_channel(w) && !accepts_clients(w) &&
				  !is_of_signals(w) && !is_of_http(w);
		s->others_may_take |= !w->is_main && wait_goroutines_want_channel(w) &&
				      !is_of_signals(w) && !is_of_http(w);
		if (w->is_main) {
			s->main = w;
			s->main_goes_on = !wait_goroutines_want_goroutine(w) &&
					  !wait_goroutines_want_channel(w) && !accepts_clients(w);
			continue;
		}
		if (is_of_signals(w))
			continue;
		s->others += w->count;
		s->is_one_at_work |= !wait_goroutines_want_lock(w) && !accepts_clients(w);
		s->others_go_on |= !wait_goroutines_want_goroutine(w);
		s->others_work |= !wait_goroutines_want_goroutine(w) &&
				  !wait_goroutines_want_channel(w) && !accepts_clients(w);
	}
}

/* Returns how long all threads but the last one have rested. The thread that ran last may be the
 * runtime's own (sysmon), which wakes now and then, and forces a collection every two minutes. */
static uint64_t rested_ns(const struct wait_graph *g, uint32_t pid)
{
	uint64_t least_ns = UINT64_MAX, second_ns = UINT64_MAX;

	wait_threads_each (g, pid, t) {
		if (t->since_state)
			return 0;
		if (t->since_ns < least_ns) {
			second_ns = least_ns;
			least_ns = t->since_ns;
		} else if (t->since_ns < second_ns) {
			second_ns = t->since_ns;
		}
	}
	return second_ns == UINT64_MAX ? 0 : second_ns;
}

/* Returns how long a group has waited: the collector marks goroutines that wait, or nothing ran at
 * all. */
static uint64_t wait_ns(const struct stuck *s, const struct waits_goroutines *w)
{
	return !w->longest_state && w->longest_ns > s->idle_ns ? w->longest_ns : s->idle_ns;
}

static struct stuck earlier_of(const struct wait_graph *g, uint32_t pid)
{
	struct wait_graph before = { .records = g->before };
	struct stuck earlier = { 0 };

	find_stuck(&earlier, &before, pid);
	return earlier;
}

/* Returns how long a group has waited that is the same at both samples: in a program that hardly
 * runs that is no contention. */
static uint64_t group_wait_ns(
	const struct check *e, const struct stuck *s, const struct waits_goroutines *w)
{
	uint64_t known_ns = wait_ns(s, w), observed_ns = e->input->end_ns - e->input->begin_ns;
	double cpu = process_table_cpu_percent(e->process);
	bool is_quiet = cpu >= 0 && cpu < QUIET_PERCENT &&
			thread_histories_sum(&e->input->threads, &e->id, thread_history_voluntary) <
				QUIET_SWITCHES;

	return is_quiet && observed_ns > known_ns ? observed_ns : known_ns;
}

/* Returns whether as many goroutines or fewer waited so at the same place when the observation
 * started. */
static bool was_there(const struct wait_graph *g, const struct waits_goroutines *now,
	bool (*waits)(const struct waits_goroutines *w))
{
	struct wait_graph before = { .records = g->before };
	const struct waits_goroutines *w = NULL;
	struct span at = record_text(&now->record, &now->at);

	while (waits(now) && (w = wait_goroutines_next(&before, now->node_pid, w))) {
		if (waits(w) && !span_compare(record_text(&w->record, &w->at), at))
			return w->count <= now->count;
	}
	return false;
}

/* Returns whether all goroutines want a lock: then one of them has it. */
static bool has_only_waiters(const struct stuck *s)
{
	return s->main && s->wants_lock && !s->is_one_at_work && !s->main_goes_on &&
	       (wait_goroutines_want_lock(s->main) || accepts_clients(s->main));
}

/* Returns the wait of the group that has waited longest, and has not become smaller since the first
 * sample. */
static uint64_t lock_wait_ns(
	const struct check *e, const struct wait_graph *g, const struct stuck *s)
{
	uint64_t longest_ns = wait_ns(s, s->wants_lock);
	struct stuck earlier = earlier_of(g, e->id.pid);

	if (has_only_waiters(s) && has_only_waiters(&earlier))
		return e->input->end_ns - e->input->begin_ns;
	wait_goroutines_each (g, e->id.pid, w) {
		if (was_there(g, w, wait_goroutines_want_lock) &&
			group_wait_ns(e, s, w) > longest_ns)
			longest_ns = group_wait_ns(e, s, w);
	}
	return longest_ns;
}

/* Returns the largest sending group that has not become smaller. NULL: another goroutine may take
 * from the channel. */
static const struct waits_goroutines *unreceived_group(
	const struct check *e, const struct wait_graph *g, const struct stuck *s)
{
	const struct waits_goroutines *w = NULL, *largest = NULL;

	while (!s->others_take && (w = wait_goroutines_next(g, e->id.pid, w))) {
		if (was_there(g, w, wait_goroutines_send) &&
			(!largest || w->count > largest->count))
			largest = w;
	}
	return largest;
}

static bool may_go_on(const struct stuck *s)
{
	return s->others_work || s->main_goes_on;
}

enum kind { KIND_LOCK, KIND_DEADLOCK, KIND_READ_AGAIN, KIND_SENDS, KIND_MAIN, KIND_MAIN_ALONE };

static const char *const claims[] = {
	[KIND_LOCK] = "{waiters} {place}{other}, for {time}",
	[KIND_DEADLOCK] = "deadlock: {waiters} {place}{other}, for {time}",
	/* One of the waiting goroutines has the lock: it is a reader that reads again. */
	[KIND_READ_AGAIN] =
		"deadlock: {waiters} {place}{other}, for {time}; perhaps one has it already and "
		"wants it again: an RLock within an RLock does not return while a Lock waits",
	[KIND_SENDS] = "{waiters} {place}{other}, for {time}: none takes any more, the goroutine "
		       "that did has perhaps returned",
	[KIND_MAIN] = "deadlock: the main goroutine waits {place}, for {time}: the others wait for "
		      "goroutines too",
	[KIND_MAIN_ALONE] = "deadlock: the main goroutine waits {place}, for {time}: no other "
			    "goroutine is left that could end this wait",
};

static void end_finding(struct check_result *out, const struct stuck *s,
	const struct waits_goroutines *w, uint64_t for_ns, enum kind kind)
{
	struct claim_row row = { claims[kind],
		kind == KIND_LOCK ? "whether the goroutine that has the lock works, or waits for "
				    "something outside"
				  : NULL,
		"with net/http/pprof: curl localhost:6060/debug/pprof/goroutine?debug=2 prints the "
		"stack of each goroutine; so does kill -QUIT {pid}, which ends the program" };
	struct buffer *place = finding_value(out, "place");

	wait_goroutines_text(place, w);
	finding_value_time(out, "time", for_ns);
	finding_text(out, w->is_main ? "main goroutine" : "these goroutines", "wait%s %s",
		w->is_main ? "s" : "", buffer_cstr(place));
	finding_time(out, "for at least", for_ns);
	finding_count(out, "other goroutines", s->others, 0);
	finding_claim_row(out, &row);
}

static void set_waiters(struct check_result *out, uint64_t count)
{
	finding_value_text(out, "waiters", "%llu goroutine%s", (unsigned long long)count,
		count == 1 ? " waits" : "s wait");
}

/* Returns the largest group that waits so in another function; NULL: none. */
static const struct waits_goroutines *other_of(const struct wait_graph *g,
	const struct waits_goroutines *first, bool (*waits)(const struct waits_goroutines *w))
{
	const struct waits_goroutines *other = NULL;
	struct span at = record_text(&first->record, &first->at);

	wait_goroutines_each (g, first->node_pid, w) {
		struct span its = record_text(&w->record, &w->at);

		if (waits(w) && its.size && span_compare(its, at) &&
			(!other || w->count > other->count))
			other = w;
	}
	return other;
}

/* Sets another function in which goroutines wait: " and main.ba", or ", and 4 in main.ba". */
static void set_other(
	struct check_result *out, const struct waits_goroutines *other, bool is_counted)
{
	struct buffer *text = finding_value(out, "other");
	struct span at = other ? record_text(&other->record, &other->at) : span_of("", 0);

	if (other && is_counted)
		buffer_format(text, ", and %llu in %.*s", (unsigned long long)other->count,
			SPAN_ARGS(at));
	else if (other)
		buffer_format(text, " and %.*s", SPAN_ARGS(at));
}

static void report_lock(struct check_result *out, const struct wait_graph *g, const struct stuck *s,
	uint64_t for_ns)
{
	bool may_be_read_again = s->has_writer && s->has_reader;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_low_if(out, may_go_on(s));
	set_waiters(out, s->lock_count);
	set_other(out, other_of(g, s->wants_lock, wait_goroutines_want_lock), false);
	end_finding(out, s, s->wants_lock, for_ns,
		may_go_on(s)	    ? KIND_LOCK
		: may_be_read_again ? KIND_READ_AGAIN
				    : KIND_DEADLOCK);
}

static void report_sends(struct check_result *out, const struct wait_graph *g,
	const struct stuck *s, const struct waits_goroutines *w, uint64_t for_ns)
{
	finding_begin(out, confidence_medium_if(!s->others_may_take), "");
	finding_low_if(out, s->others_work || s->others_may_take);
	set_waiters(out, w->count);
	set_other(out, other_of(g, w, wait_goroutines_send), true);
	end_finding(out, s, w, for_ns, KIND_SENDS);
}

static void report_main(struct check_result *out, const struct stuck *s, uint64_t for_ns)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	end_finding(out, s, s->main, for_ns, s->others ? KIND_MAIN : KIND_MAIN_ALONE);
}

static const char *time_option(const struct check *e, const struct stuck *s)
{
	return !may_go_on(s) && check_option(e, "min-time-at-rest") < check_option(e, "min-time")
		       ? "min-time-at-rest"
		       : "min-time";
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct waits_goroutines *sends;
	struct stuck s = { 0 };
	struct wait_graph g;

	if (!check_graph_begin(e, out, &g))
		return;
	find_stuck(&s, &g, e->id.pid);
	s.idle_ns = rested_ns(&g, e->id.pid);
	sends = unreceived_group(e, &g, &s);
	if (!s.main)
		check_fine(out, "no goroutines");
	else if (check_is_stopped(e))
		check_fine(out, "the process is stopped");
	else if (s.wants_lock && earlier_of(&g, e->id.pid).wants_lock &&
		 check_is_over(e, time_option(e, &s), lock_wait_ns(e, &g, &s), ""))
		report_lock(out, &g, &s, lock_wait_ns(e, &g, &s));
	else if (wait_goroutines_want_goroutine(s.main) && !s.others_go_on &&
		 check_is_over(e, time_option(e, &s), s.idle_ns, ""))
		report_main(out, &s, s.idle_ns);
	else if (sends &&
		 check_is_over(e, "min-time-at-rest", group_wait_ns(e, &s, sends), "sends"))
		report_sends(out, &g, &s, sends, group_wait_ns(e, &s, sends));
	else
		check_fine(out, "its goroutines can go on");
}

const struct finding_detector finding_goroutines_stuck = { diagnose, FINDING_OPTIONS(options) };

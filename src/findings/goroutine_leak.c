/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * goroutine-leak: more and more goroutines of a Go program wait in one place. Each keeps its stack
 * and what it refers to, so the memory of the program grows with them.
 */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/peer_process.h"
#include "analyze/waits/wait_goroutines.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

NUMBER(PACE, 4, NONE, "at this rate, so many times the goroutines would have come since the start");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 1, 0.001, 1e9,
		"minimum number of goroutines per second that start and stay"),
	UNLISTED("min-gain", 50, 1, 1e9,
		"minimum number of goroutines added during the observation"),
	UNLISTED("min-count", 500, 1, 1e9, "minimum number of goroutines that wait in one place"),
	UNLISTED("min-gain-stuck", 10, 1, 1e9,
		"the same of goroutines that only another goroutine can wake, where the longest "
		"wait is half the age of the process"),
	UNLISTED("min-count-stuck", 100, 1, 1e9, "minimum number of such goroutines"),
	UNLISTED_TIME("min-age", 60e9, 0, 86400e9,
		"severity is low below this age: a batch may be under way"),
	UNLISTED_PERCENT("min-share", 4, 0.1, 100, "minimum gain in percent of what was there"),
};

struct leak {
	const struct waits_goroutines *group;
	uint64_t first, gain;
	unsigned groups; /* number of groups of goroutines */
};

static bool is_same(const struct waits_goroutines *a, const struct waits_goroutines *b)
{
	return a->state == b->state &&
	       !span_compare(
		       record_text(&a->record, &a->start), record_text(&b->record, &b->start)) &&
	       !span_compare(
		       record_text(&a->record, &a->reason), record_text(&b->record, &b->reason));
}

static uint64_t count_before(const struct wait_graph *before, const struct waits_goroutines *of)
{
	wait_goroutines_each (before, of->node_pid, w) {
		if (is_same(w, of))
			return w->count;
	}
	return 0;
}

static void find_leak(struct leak *l, const struct wait_graph *g, uint32_t pid)
{
	struct wait_graph before = { .records = g->before };

	wait_goroutines_each (g, pid, w) {
		uint64_t first = count_before(&before, w);

		l->groups++;
		/* Goroutines of clients come with their connections. */
		if (w->state != WAITS_GOROUTINE_WAITS || wait_goroutines_want_event(w) ||
			w->count <= first || w->count - first <= l->gain)
			continue;
		l->group = w;
		l->first = first;
		l->gain = w->count - first;
	}
}

/* Returns whether the first goroutine of the group was never woken during the observation: so the
 * group is no queue that moves on. */
static bool are_stuck(const struct check *e, const struct waits_goroutines *w)
{
	return wait_goroutines_want_goroutine(w) && !w->longest_state &&
	       w->longest_ns * 2 >= check_age_ns(e);
}

/* Returns whether as many goroutines came since the start of the process: so they are no wave of
 * clients that has just begun. */
static bool keeps_pace(const struct check *e, const struct leak *l, double per_s)
{
	double since_start = per_s * (double)check_age_ns(e) / (double)NS_PER_S;

	return since_start * PACE >= (double)l->group->count &&
	       since_start <= (double)l->group->count * PACE;
}

/* Returns goroutines that wait in the same function for data: one of them has the mutex that the
 * other goroutines of that function wait for. NULL: none. */
static const struct waits_goroutines *find_holder(
	const struct wait_graph *g, const struct waits_goroutines *of)
{
	const struct waits_goroutines *w = NULL;
	struct span at = record_text(&of->record, &of->at);

	while (wait_goroutines_want_lock(of) && at.size &&
		(w = wait_goroutines_next(g, of->node_pid, w))) {
		if (!wait_goroutines_want_lock(w) && !w->at_state &&
			!span_compare(record_text(&w->record, &w->at), at))
			return w;
	}
	return NULL;
}

/* "; the mutex is probably held by the one that waits in net.(*conn).Read, called by main.audit,
 * for auditd (7), which is stopped by inspectd (8)" */
static void claim_holder(
	const struct check *e, struct check_result *out, const struct waits_goroutines *of)
{
	const struct waits_peer *peer = peer_process_stopped(e->input, &e->id);
	const struct waits_goroutines *holder;
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	struct wait_graph g;

	check_graph(e, &g);
	holder = find_holder(&g, of);
	if (!holder)
		return;
	wait_goroutines_text(&text, holder);
	finding_claim(
		out, "; the mutex is probably held by the one that waits %s", buffer_cstr(&text));
	buffer_reset(&text);
	if (peer) {
		peer_process_put(&text, peer);
		peer_process_put_wait(&text, e->input, peer, ", which ");
		finding_claim(out, ", for %s", buffer_cstr(&text));
		finding_descriptor(out, peer->fd);
	}
}

static void report_leak(const struct check *e, struct check_result *out, const struct leak *l,
	double per_s, uint64_t interval_ns)
{
	_cleanup_(buffer_fini) struct buffer place = { 0 };
	bool is_old = !check_is_young(e);
	bool is_steady = is_old && keeps_pace(e, l, per_s);

	wait_goroutines_text(&place, l->group);
	finding_begin(out, confidence_medium_if(is_steady), "");
	finding_low_if(out, !is_steady);
	finding_claim(out, "goroutines pile up: %llu wait %s, %llu more in %s",
		(unsigned long long)l->group->count, buffer_cstr(&place),
		(unsigned long long)l->gain, SENTENCE_DURATION(interval_ns));
	claim_holder(e, out, l->group);
	finding_rate(out, "growth", per_s, SOOTH_UNIT_NONE, interval_ns);
	finding_count(out, "goroutines that wait there", l->group->count, 0);
	finding_count(out, "when the observation started", l->first, 0);
	if (!l->group->longest_state)
		finding_time(out, "longest wait", l->group->longest_ns);
	finding_unseen(out,
		"whether these goroutines will go on, as those of a batch that waits for its turn");
	finding_remedy(out,
		"give each wait an end (a context, a timeout, a closed channel); with "
		"net/http/pprof: go tool pprof http://localhost:6060/debug/pprof/goroutine");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	uint64_t interval_ns = sample_series_ns(&e->series);
	struct leak l = { 0 };
	struct wait_graph g;
	bool is_stuck;
	double per_s;

	if (!check_first(e, &e->input->waits) || !check_graph(e, &g)) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	find_leak(&l, &g, e->id.pid);
	if (!l.groups) {
		check_fine(out, "no goroutines");
		return;
	}
	per_s = interval_ns ? (double)l.gain * (double)NS_PER_S / (double)interval_ns : 0;
	is_stuck = l.group && are_stuck(e, l.group);
	if (!l.group ||
		l.group->count < check_option(e, is_stuck ? "min-count-stuck" : "min-count") ||
		l.gain < check_option(e, is_stuck ? "min-gain-stuck" : "min-gain") ||
		100.0 * l.gain < check_option(e, "min-share") * l.first ||
		!check_is_over(e, "min-rate", per_s, ""))
		check_fine(out, "goroutines that wait do not grow in number");
	else
		report_leak(e, out, &l, per_s, interval_ns);
}

const struct finding_detector finding_goroutine_leak = { diagnose, FINDING_OPTIONS(options) };

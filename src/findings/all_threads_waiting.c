/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * all-threads-waiting: every thread waits, without a time-out, to be woken by another thread of
 * the same process. None ran meanwhile, none waits for a descriptor, a child, a time or a signal,
 * and the memory of the futexes is shared with no other process: nobody is left to wake them but
 * a signal. Programs wait for one so, with their only thread; a lock is never waited for so.
 */
#include <stdlib.h>

#include "analyze/diagnosis/check.h"
#include "analyze/threads/thread_roles.h"
#include "base/units.h"
#include "core/finding.h"
#include "probes/maps.h"

#define THREADS_SHOWN 8

static const struct finding_option options[] = {
	{ .name = "min-time",
		.help = "how long nothing has run",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 2e9,
		.min = 1e6,
		.max = 86400e9 },
	{ .name = "min-readings",
		.help = "readings of each thread",
		.otherwise = 3,
		.min = 2,
		.max = 500 },
};

enum standing {
	STANDING_STUCK, /* as far as can be seen */
	STANDING_RUNS,
	STANDING_IS_DUE, /* waits for something else, or with a time-out */
	STANDING_UNSEEN,
	STANDING_SHORT, /* too few readings */
};

struct hang {
	enum standing worst;
	uint32_t threads, locks;	     /* of them: wait for a lock that somebody holds */
	uint64_t least_ns;		     /* the shortest time that one was watched */
	const struct thread_history *reason; /* the first that is not stuck */
};

/* --- is it in memory of its own --- */

enum memory { MEMORY_OWN, MEMORY_SHARED, MEMORY_UNKNOWN };

/* Not every futex says that it is the process's own: joining a thread does not. */
static enum memory memory_of(const struct check *e, uint64_t address)
{
	const struct snapshot *last = check_last(e, &e->input->maps);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct maps_mapping *m = record_as(r, MAPS_MAPPING, sizeof(*m));

		if (m && address >= m->from && address < m->to)
			return m->protection & MAPS_SHARED ? MEMORY_SHARED : MEMORY_OWN;
	}
	return MEMORY_UNKNOWN;
}

/* --- each thread --- */

static enum standing standing_of(const struct check *e, const struct thread_history *t)
{
	enum memory memory;

	if (t->met < check_option(e, "min-readings") || !thread_history_ns(t))
		return STANDING_SHORT;
	if (t->first.cpu_ns != t->last.cpu_ns || thread_history_voluntary(t) > 0 ||
		thread_history_involuntary(t) > 0)
		return STANDING_RUNS;
	if (thread_history_stay_unseen(t))
		return STANDING_UNSEEN;
	if (t->waits[THREAD_WAIT_LOCK] != t->met || t->with_timeout)
		return STANDING_IS_DUE;
	memory = t->of_others ? memory_of(e, t->waiting.address) : MEMORY_OWN;
	return memory == MEMORY_OWN	 ? STANDING_STUCK
	       : memory == MEMORY_SHARED ? STANDING_IS_DUE
					 : STANDING_UNSEEN;
}

/* Why a thread could not be told: by itself, or because its memory could not. */
static uint8_t unseen_of(const struct check *e, const struct thread_history *t)
{
	const struct snapshot *last = check_last(e, &e->input->maps);
	const struct maps_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;

	if (thread_history_stay_unseen(t))
		return thread_history_stay_unseen(t);
	if (end && end->mappings_state > SOOTH_STATE_VALUE)
		return end->mappings_state;
	return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
}

/* One thread that is not stuck is enough; that it can be seen counts more than that it cannot. */
static void look(const struct check *e, struct hang *h)
{
	const struct thread_history *t;
	size_t position = 0;

	while ((t = thread_histories_next(&e->input->threads, &e->id, &position))) {
		enum standing standing = standing_of(e, t);

		if (!h->threads++ || thread_history_ns(t) < h->least_ns)
			h->least_ns = thread_history_ns(t);
		h->locks += t->waiting.is_mutex;
		if (standing == STANDING_STUCK)
			continue;
		if (h->worst == STANDING_STUCK || standing < h->worst) {
			h->worst = standing;
			h->reason = t;
		}
	}
}

/* --- the finding --- */

static void emit_threads(struct check *e)
{
	const struct thread_history *t;
	size_t position = 0;
	unsigned told = 0, more = 0;

	while ((t = thread_histories_next(&e->input->threads, &e->id, &position))) {
		if (told == THREADS_SHOWN) {
			more++;
			continue;
		}
		told++;
		finding_text(e, "thread", "%s (%u) waits at 0x%llx", t->name, t->tid,
			(unsigned long long)t->waiting.address);
	}
	if (more)
		finding_text(e, "more threads", "%u", more);
}

static void tell(struct check *e, const struct hang *h)
{
	finding_begin(e, h->locks ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	if (!h->locks)
		finding_severity(e, FINDING_MEDIUM);
	if (h->threads > 1)
		finding_claim(e,
			"hangs: all its %u threads wait for one another, and none is left that "
			"could wake one",
			h->threads);
	else
		finding_claim(e, "hangs: its only thread waits for a lock that nobody else has");
	finding_number(e, "threads", h->threads, SOOTH_UNIT_NONE, 0);
	finding_number(e, "wait for a lock that is held", h->locks, SOOTH_UNIT_NONE, 0);
	finding_number(e, "nothing has run for", (double)h->least_ns, SOOTH_UNIT_NS, h->least_ns);
	finding_text(e, "waiting", "all in futex, none with a time-out, none in shared memory");
	emit_threads(e);
	finding_unseen(e, "who holds which lock, and since when: their stacks tell");
	finding_unseen(e, "a timer that ends in a signal to it");
	finding_remedy(e,
		"gdb -p %llu -batch -ex 'thread apply all bt' tells who waits for whom; only "
		"ending it helps",
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static void emit_reason(struct check *e, const struct hang *h)
{
	const struct thread_history *t = h->reason;

	switch (h->worst) {
	case STANDING_RUNS:
		check_fine(e, "thread %s (%u) has run", t->name, t->tid);
		break;
	case STANDING_IS_DUE:
		if (check_is_stopped(e))
			check_fine(e, "it is stopped, so nothing of it goes on");
		else
			check_fine(e, "thread %s (%u) waits for something that may come", t->name,
				t->tid);
		break;
	case STANDING_UNSEEN:
		check_blind(e, unseen_of(e, t));
		break;
	default:
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	}
}

static void judge(struct check *e)
{
	struct hang h = { 0 };

	look(e, &h);
	if (!h.threads)
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	else if (h.worst != STANDING_STUCK)
		emit_reason(e, &h);
	else if ((double)h.least_ns < check_option(e, "min-time"))
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else if (h.threads == 1 && !h.locks)
		check_fine(e, "its only thread waits for a signal, as programs do that serve");
	else
		tell(e, &h);
}

const struct finding_type finding_all_threads_waiting = {
	.id = "all-threads-waiting",
	.claim = "nothing runs, nothing is due, nothing is waited for: it hangs",
	.probes = "proc,threads,maps",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.judge = judge,
};

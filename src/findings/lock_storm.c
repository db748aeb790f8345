/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock-storm: several threads of a process burn CPU in getting at something that they share: they
 * sleep and wake at a lock thousands of times a second, or give the processor away again and
 * again, and most of the time goes to the kernel that has to arrange it. Threads that hand work
 * to one another wake as often; their time goes to the work. That may be calls of the kernel too:
 * then there is one who asks for them, outside of it all or with other things to do. Where their
 * calls were observed, those to futex and sched_yield say who is at a lock, and at which.
 */
#include <stdlib.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/progress.h"
#include "base/units.h"
#include "core/finding.h"

#define THREADS_SHOWN  5
#define THREADS_MAX    4096
#define TICKS_LEAST_NS (100 * NS_PER_MS) /* of CPU, which clock ticks share out */

static const struct finding_option options[] = {
	{ .name = "min-rate",
		.help = "times a second that a thread sleeps at a lock or gives the processor away",
		.otherwise = 1000,
		.min = 1,
		.max = 1e9 },
	{ .name = "max-stretch",
		.help = "CPU time until one that gives the processor away does so",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 50e3,
		.min = 0,
		.max = 1e9 },
	{ .name = "min-threads", .help = "threads that do", .otherwise = 2, .min = 2, .max = 1e6 },
	{ .name = "percent",
		.help = "of one processor, that these threads use, or could, together",
		.unit = SOOTH_UNIT_PERCENT,
		.otherwise = 20,
		.min = 1,
		.max = 1e6 },
	{ .name = "in-kernel",
		.help = "of their CPU time",
		.unit = SOOTH_UNIT_PERCENT,
		.otherwise = 70,
		.min = 1,
		.max = 100 },
	{ .name = "max-moved",
		.help = "bytes that the process reads and writes for each time",
		.unit = SOOTH_UNIT_BYTES,
		.otherwise = 16,
		.min = 0,
		.max = 1e9 },
	{ .name = "min-met",
		.help = "readings that met one of them at a lock",
		.otherwise = 1,
		.min = 1,
		.max = 1e6 },
	{ .name = "min-readings",
		.help = "readings of each thread",
		.otherwise = 3,
		.min = 2,
		.max = 500 },
};

struct storm {
	const struct thread_history **threads; /* who switches most first */
	size_t count, yielders;
	uint32_t at_locks; /* readings that met one of them there */
	double switches, cpu;
	double wanted;		    /* who always runs wants more than it gets */
	double highest;		    /* switches of any thread; negative: not measured */
	uint64_t cpu_ns, system_ns; /* of all together, over the interval */
	double busiest;		    /* percent of a processor, of one of them */
	double busiest_system;	    /* of its CPU time; negative: too little to tell */
	double outside;		    /* of the busiest of the other threads */
	bool has_times;
	uint8_t unseen;		    /* why it cannot be told of one where it sleeps */
	uint64_t futexes;	    /* calls, where they were observed */
	uint64_t lock, lock_weight; /* the one that is waited for most; 0: not known */
};

/* --- who is in it --- */

static double switches_of(const struct thread_history *t)
{
	double given = thread_history_voluntary(t), taken = thread_history_involuntary(t);

	return given > taken ? given : taken;
}

/* The kernel takes the processor from who never waits after a millisecond or so, or when one that
 * is more urgent wakes; who loses it after some microseconds each time has given it away. Who
 * wakes others loses it to them as often, but waits as well. */
static bool yields(const struct check *e, const struct thread_history *t)
{
	double taken = thread_history_involuntary(t);
	const struct call_waits *w = check_waits(e, t->tid);

	if (w && w->yields < w->locks)
		return false;
	return taken >= check_option(e, "min-rate") &&
	       thread_history_bucket(t) <= check_option(e, "max-stretch") &&
	       thread_history_voluntary(t) * 10 < taken;
}

/* Running, it shows no call, and it may be so each time: others tell, then. Met asleep, it has to
 * have been at a lock. */
static bool sleeps_at_lock(const struct check *e, const struct thread_history *t)
{
	const struct call_waits *w = check_waits(e, t->tid);

	if (w)
		return thread_history_voluntary(t) >= check_option(e, "min-rate") &&
		       (double)w->locks * (double)NS_PER_S >=
			       check_option(e, "min-rate") * (double)thread_history_ns(t) * 2 / 3;
	return thread_history_voluntary(t) >= check_option(e, "min-rate") &&
	       t->waits[THREAD_WAIT_LOCK] * 3 >= thread_waits_seen(t->waits, t->met) * 2;
}

static int by_switches(const void *a, const void *b)
{
	double x = switches_of(*(const struct thread_history *const *)a);
	double y = switches_of(*(const struct thread_history *const *)b);

	return (y > x) - (y < x);
}

static void add_calls(struct storm *s, const struct call_waits *w)
{
	s->futexes += w->locks + w->wakes;
	s->at_locks += w->locks != 0;
	if (w->lock == s->lock) {
		s->lock_weight += w->lock_weight;
	} else if (w->lock_weight > s->lock_weight) {
		s->lock = w->lock;
		s->lock_weight = w->lock_weight;
	}
}

static void add(struct storm *s, const struct thread_history *t, bool is_yielder)
{
	s->threads[s->count++] = t;
	s->yielders += is_yielder;
	s->at_locks += t->waits[THREAD_WAIT_LOCK];
	s->switches += switches_of(t);
	s->cpu += thread_history_cpu(t);
	s->wanted += is_yielder ? thread_history_selected(t) : thread_history_cpu(t);
	if (thread_history_cpu(t) > s->busiest) {
		s->busiest = thread_history_cpu(t);
		s->busiest_system = thread_history_system(t);
	}
	s->cpu_ns += t->last.cpu_ns - t->first.cpu_ns;
	s->system_ns += t->last.system_ns - t->first.system_ns;
	s->unseen = s->unseen ? s->unseen : thread_history_unseen(t);
	s->has_times = t->times_state == SOOTH_STATE_VALUE;
}

static void find(const struct check *e, struct storm *s)
{
	const struct thread_history *t;
	size_t position = 0;

	s->highest = -1;
	s->threads = calloc(THREADS_MAX, sizeof(*s->threads));
	while (s->threads && s->count < THREADS_MAX &&
		(t = thread_histories_next(&e->input->threads, &e->id, &position))) {
		bool is_yielder;

		if (switches_of(t) > s->highest)
			s->highest = switches_of(t);
		if (t->met < check_option(e, "min-readings") || thread_history_cpu(t) < 0)
			continue;
		is_yielder = yields(e, t);
		if (is_yielder || sleeps_at_lock(e, t)) {
			add(s, t, is_yielder);
			if (check_waits(e, t->tid))
				add_calls(s, check_waits(e, t->tid));
		} else if (thread_history_cpu(t) > s->outside) {
			s->outside = thread_history_cpu(t);
		}
	}
	if (s->count)
		qsort(s->threads, s->count, sizeof(*s->threads), by_switches);
}

static double in_kernel(const struct storm *s)
{
	return s->cpu_ns ? 100 * (double)s->system_ns / (double)s->cpu_ns : 0;
}

/* Whoever asks for what the others do works as much as each of them. */
static bool has_asker(const struct check *e, const struct storm *s)
{
	return s->outside * (double)s->count >= s->cpu ||
	       (s->busiest_system >= 0 && s->busiest_system < check_option(e, "in-kernel"));
}

/* All of it but where the time goes. */
static bool may_be_storm(const struct check *e, const struct storm *s, const struct progress *p)
{
	return s->count >= check_option(e, "min-threads") && s->has_times &&
	       (s->yielders * 2 > s->count || s->at_locks >= check_option(e, "min-met")) &&
	       check_is_over(e, "percent", s->wanted, "") &&
	       p->bytes_per_s <= check_option(e, "max-moved") * s->switches;
}

static bool is_storm(const struct check *e, const struct storm *s, const struct progress *p)
{
	return may_be_storm(e, s, p) && in_kernel(s) >= check_option(e, "in-kernel") &&
	       !has_asker(e, s);
}

/* Of who was hardly met by a tick the kernel says that all its time was its own. */
static bool is_unmeasured(const struct storm *s)
{
	return s->cpu_ns < TICKS_LEAST_NS;
}

/* --- the finding --- */

static void tell(struct check *e, const struct storm *s, const struct progress *p)
{
	uint64_t interval_ns = thread_history_ns(s->threads[0]);
	bool yields = s->yielders * 2 > s->count;

	finding_begin(e, p->is_measured ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(e, "%zu threads burn %.0f %% of a processor in %s", s->count, s->cpu,
		yields ? "giving it to one another" : "waiting for one another at locks");
	finding_number(e, "threads", (double)s->count, SOOTH_UNIT_NONE, 0);
	finding_rate(e, yields ? "processor given away" : "sleeps at locks", s->switches,
		SOOTH_UNIT_NONE, interval_ns);
	finding_number(e, "CPU", s->cpu, SOOTH_UNIT_PERCENT, interval_ns);
	finding_number(e, "of it in the kernel", in_kernel(s), SOOTH_UNIT_PERCENT, interval_ns);
	progress_emit(p, e);
	for (size_t i = 0; i < s->count && i < THREADS_SHOWN; i++)
		finding_text(e, "thread", "%s (%u): %.0f times a second, %.0f %%",
			s->threads[i]->name, s->threads[i]->tid, switches_of(s->threads[i]),
			thread_history_cpu(s->threads[i]));
	if (s->count > THREADS_SHOWN)
		finding_text(e, "more threads", "%zu", s->count - THREADS_SHOWN);
	if (s->futexes)
		finding_rate(e, "calls of futex",
			(double)s->futexes * (double)NS_PER_S / (double)interval_ns,
			SOOTH_UNIT_NONE, interval_ns);
	if (s->lock_weight)
		finding_text(e, "the lock that most of them wait for", "at address 0x%llx",
			(unsigned long long)s->lock);
	finding_unseen(e, "which lock of the program that is: a profile tells");
	finding_remedy(e,
		yields ? "a lock that is spun on with sched_yield wants to be one that sleeps; "
			 "fewer threads than processors help at once"
		       : "fewer threads, or hold the lock for more work at a time; sooth trace "
			 "-c -p %llu counts the calls of futex",
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static void judge(struct check *e)
{
	struct storm s = { 0 };
	struct progress p;

	find(e, &s);
	progress_of(&p, e);
	if (s.highest < 0)
		check_blind(e, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (s.count && !s.has_times)
		check_blind_because(e, "the time in the kernel was not recorded", "");
	else if (is_storm(e, &s, &p))
		tell(e, &s, &p);
	else if (may_be_storm(e, &s, &p) && is_unmeasured(&s))
		check_blind_because(e,
			"others had the processors: hardly a clock tick met these threads, so how "
			"much of their time is the kernel's is not known",
			"ask again when less is running");
	else if (s.count && s.unseen && !s.at_locks)
		check_blind(e, s.unseen);
	else if (s.count)
		check_fine(e,
			"%zu thread%s at locks %.0f times a second and work%s, %.0f %% in "
			"the kernel",
			s.count, s.count == 1 ? " sleeps" : "s meet", s.switches,
			s.count == 1 ? "s" : "", in_kernel(&s));
	else
		check_fine(e, "no thread is switched more than %.0f times a second", s.highest);
	free(s.threads);
}

const struct finding_type finding_lock_storm = {
	.id = "lock-storm",
	.claim = "threads burn CPU in waiting for one another",
	.probes = "proc,threads",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.judge = judge,
};

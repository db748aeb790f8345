/* SPDX-License-Identifier: BSD-2-Clause */
/* lock-storm: several threads of a process burn CPU competing for something they share. They sleep
 * and wake at a lock thousands of times a second, or keep yielding, and most of their CPU time is
 * kernel time. Or they form a convoy: three or more threads only compute or wait for the same kind
 * of lock, so that one of them runs at a time, however often they wake. Threads that hand work to
 * each other wake as often, but spend their time on the work. That work may be system calls too:
 * then another thread, idle or busy with other work, requests them. If system calls were recorded,
 * futex and sched_yield show which threads are at which lock. */
#include "analyze/diagnosis/call_check.h"
#include "analyze/evidence/ended_input.h"
#include "analyze/evidence/tally.h"
#include "analyze/evidence/work_share.h"

NUMBER(CONVOY_SHARE, 0.75, NONE, "share of the waiting that remains if one thread runs at a time");
NUMBER(CONVOY_WHOLE, 0.9, NONE, "share of the samples with the thread computing or at the lock");
NUMBER(CONVOY_HIGH, 30, NONE, "samples of all threads, for severity high");
NUMBER(CONVOY_EVEN, 4, NONE, "the thread with least CPU has this part of an even share");
NUMBER(CONTENDED_LEAST, 5, NONE, "samples at the lock");
NUMBER(CONTENDED_MUCH, 30, PERCENT, "at the lock; with less the severity is low");
NUMBER(TICKS_LEAST_NS, 100 * NS_PER_MS, NS, "CPU time; with less, too few clock ticks to split");
NUMBER(OTHER_CALLS_SHARE, 0.25, NONE, "share of other calls among all calls");
NUMBER(DISPATCHER_SHARE, 0.6, NONE, "of in-kernel: a single thread has few clock ticks");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 1000, 1, 1e9,
		"minimum number of times per second that a thread sleeps or yields at a lock"),
	UNLISTED_TIME("max-stretch", 50e3, 0, 1e9,
		"maximum CPU time that a thread runs before it yields"),
	UNLISTED("min-threads", 2, 2, 1e6,
		"minimum number of threads that wait for locks (by sleeping or yielding)"),
	UNLISTED_PERCENT("percent", 20, 1, 1e6,
		"minimum CPU use of all threads that wait for locks, in percent of one CPU"),
	UNLISTED_PERCENT("in-kernel", 60, 1, 100,
		"minimum percentage of the threads' CPU time that is spent in the kernel"),
	UNLISTED_BYTES("max-moved", 16, 0, 1e9,
		"maximum bytes that the process reads and writes per sleep or yield at a lock"),
	UNLISTED("min-met", 1, 1, 1e6, "minimum number of samples that show a thread at a lock"),
	THRESHOLD("min-readings", 3, 2, 500, "minimum number of samples of each thread"),
	UNLISTED("convoy-threads", 3, 2, 1e6,
		"minimum number of threads that take turns at a lock; min-rate is not needed then"),
	THRESHOLD("convoy-rate", 20, 1, 1e9,
		"minimum number of times per second that these threads switch, in total"),
	UNLISTED_PERCENT("contended", 10, 1, 100,
		"minimum percentage of the samples of such threads that show them at a mutex"),
};

struct storm {
	struct thread_top threads; /* most switches first */
	size_t yielders;
	uint32_t at_locks; /* samples that found a thread at a lock */
	double switches, cpu;
	double demand;		    /* CPU plus runnable time of the yielding threads */
	double most_switches;	    /* switches of the thread with most; negative: not measured */
	uint64_t cpu_ns, system_ns; /* CPU times of all threads together, over the interval */
	double busiest;		    /* CPU use of the busiest thread, percent of one CPU */
	double busiest_system;	    /* kernel share of its CPU time, percent; negative: unknown */
	double outside;		    /* CPU use of the busiest other thread */
	bool has_times;
	uint8_t unseen;		    /* reason why one thread could not be diagnosed */
	uint64_t futexes;	    /* futex calls, if calls were recorded */
	uint64_t lock, lock_weight; /* the most contended lock; 0: unknown */
};

/* --- the threads involved --- */

static double switches_per_s(const struct thread_history *t)
{
	double given = thread_history_voluntary(t), taken = thread_history_involuntary(t);

	return given > taken ? given : taken;
}

/* Returns whether the thread yields. The kernel preempts a thread that never waits after a
 * millisecond or so, or when a more urgent thread wakes. A thread that loses the CPU after some
 * microseconds each time has yielded it. A thread that wakes other threads loses it as often, but
 * also waits. */
static bool yields_cpu(const struct check *e, const struct thread_history *t)
{
	double taken = thread_history_involuntary(t);
	const struct call_waits *w = check_waits(e, t->tid);

	if (w && w->yields < w->locks)
		return false;
	return taken >= check_option(e, "min-rate") &&
	       thread_history_bucket(t) <= check_option(e, "max-stretch") &&
	       thread_history_voluntary(t) * 10 < taken;
}

/* Returns whether the samples that found the thread asleep found it at a lock. A running thread
 * shows no call, and may run at each sample: then the other threads decide. */
static bool sleeps_at_lock(const struct check *e, const struct thread_history *t)
{
	const struct call_waits *w = check_waits(e, t->tid);
	double least = check_option(e, "min-rate");
	bool is_at_lock =
		w ? (double)w->locks * (double)NS_PER_S >=
				least * (double)thread_history_ns(t) * 2 / 3
		  : t->waits[THREAD_WAIT_LOCK] * 3 >= thread_waits_seen(t->waits, t->met) * 2;

	return is_at_lock && thread_history_voluntary(t) >= least;
}

static void add_calls(struct storm *s, const struct call_waits *w)
{
	if (!w)
		return;
	s->futexes += w->locks + w->wakes;
	s->at_locks += w->locks != 0;
	if (w->lock == s->lock) {
		s->lock_weight += w->lock_weight;
	} else if (w->lock_weight > s->lock_weight) {
		s->lock = w->lock;
		s->lock_weight = w->lock_weight;
	}
}

static void add_thread(struct storm *s, const struct thread_history *t, bool is_yielder)
{
	thread_top_add(&s->threads, t, switches_per_s);
	s->yielders += is_yielder;
	s->at_locks += t->waits[THREAD_WAIT_LOCK];
	s->switches += switches_per_s(t);
	s->cpu += thread_history_cpu(t);
	s->demand += is_yielder ? thread_history_demand(t) : thread_history_cpu(t);
	if (thread_history_cpu(t) > s->busiest) {
		s->busiest = thread_history_cpu(t);
		s->busiest_system = thread_history_system(t);
	}
	s->cpu_ns += t->last.cpu_ns - t->first.cpu_ns;
	s->system_ns += t->last.system_ns - t->first.system_ns;
	s->unseen = s->unseen ? s->unseen : thread_history_unseen(t);
	s->has_times = t->times_state == SOOTH_STATE_VALUE;
}

static void find_storm(const struct check *e, struct storm *s)
{
	s->most_switches = -1;
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		bool is_yielder;

		if (switches_per_s(t) > s->most_switches)
			s->most_switches = switches_per_s(t);
		if (t->met < check_option(e, "min-readings") || thread_history_cpu(t) < 0)
			continue;
		is_yielder = yields_cpu(e, t);
		if (is_yielder || sleeps_at_lock(e, t)) {
			add_thread(s, t, is_yielder);
			add_calls(s, check_waits(e, t->tid));
		} else if (thread_history_cpu(t) > s->outside) {
			s->outside = thread_history_cpu(t);
		}
	}
}

static double percent_in_kernel(const struct storm *s)
{
	return s->cpu_ns ? 100 * (double)s->system_ns / (double)s->cpu_ns : 0;
}

/* Returns whether another thread hands out the work: it is as busy as each of the threads. */
static bool has_dispatcher(const struct check *e, const struct storm *s)
{
	return s->outside * (double)s->threads.count >= s->cpu ||
	       (s->busiest_system >= 0 &&
		       s->busiest_system < check_option(e, "in-kernel") * DISPATCHER_SHARE);
}

/* Returns whether the tasks of a pool are system calls: then most of the kernel time is not a
 * lock's. */
static bool does_other_calls(const struct check *e, const struct storm *s)
{
	uint64_t others = 0;

	if (!s->futexes || !e->calls.is_read)
		return false;
	map_for_each (&e->calls.history->times, const struct call_place *, key,
		const struct call_times *, value) {
		if (!*key->text)
			others += value->count;
	}
	return others > OTHER_CALLS_SHARE * s->futexes;
}

static bool may_be_storm(const struct check *e, const struct storm *s, const struct progress *p)
{
	return s->threads.count >= check_option(e, "min-threads") && s->has_times &&
	       (s->yielders * 2 > s->threads.count || s->at_locks >= check_option(e, "min-met")) &&
	       check_is_over(e, "percent", s->demand, "") &&
	       p->bytes_per_s <= check_option(e, "max-moved") * s->switches;
}

static bool is_storm(const struct check *e, const struct storm *s, const struct progress *p)
{
	return may_be_storm(e, s, p) && percent_in_kernel(s) >= check_option(e, "in-kernel") &&
	       !has_dispatcher(e, s) && !does_other_calls(e, s);
}

/* --- one at a time --- */

struct convoy {
	size_t count;
	uint64_t met, at_lock, computing;
	uint64_t resting; /* samples of threads asleep for a time, or waiting for a disk */
	double cpu, demand, switches;
	double least; /* CPU of the thread with the least */
	bool is_interpreter;
};

/* Returns whether threads wait for the interpreter's lock with a timeout, after which they demand
 * it. */
static bool has_interpreter_lock(const struct check *e)
{
	struct span path =
		record_text(&e->process->process->record, &e->process->process->executable);

	return span_starts(path_base(path), "python");
}

static uint32_t samples_at_its_lock(const struct thread_history *t, bool is_interpreter)
{
	uint32_t timed = t->with_timeout < t->waits[THREAD_WAIT_LOCK] ? t->with_timeout
								      : t->waits[THREAD_WAIT_LOCK];

	return is_interpreter && timed > t->mutexes ? timed : t->mutexes;
}

/* Finds the threads that either want a processor or the lock. */
static void find_convoy(const struct check *e, struct convoy *c)
{
	*c = (struct convoy){ .is_interpreter = has_interpreter_lock(e), .least = -1 };
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		uint32_t at_lock = samples_at_its_lock(t, c->is_interpreter);

		/* A waiter for the interpreter's lock demands it after a timeout, so a thread that
		 * uses no CPU is no such waiter. A mutex is not fair: a thread that never gets it
		 * uses no CPU, and counts. */
		if (t->met < check_option(e, "min-readings") || !at_lock ||
			thread_history_cpu(t) < 0 ||
			(c->is_interpreter && thread_history_cpu(t) <= 0))
			continue;
		c->count++;
		c->met += t->met - t->waits[THREAD_WAIT_UNKNOWN]; /* unknown waits: no evidence */
		c->at_lock += at_lock;
		c->computing += t->waits[THREAD_WAIT_NOTHING];
		c->resting += t->waits[THREAD_WAIT_TIME] + t->uninterruptible;
		c->cpu += thread_history_cpu(t);
		c->demand += thread_history_demand(t) > 0 ? thread_history_demand(t) : 0;
		c->switches += switches_per_s(t) > 0 ? switches_per_s(t) : 0;
		if (c->least < 0 || thread_history_cpu(t) < c->least)
			c->least = thread_history_cpu(t);
	}
}

/* How threads share a lock that all of them want. */
enum sharing {
	SHARING_NONE,
	SHARING_IN_TURN,   /* one thread runs at a time, and the others wait */
	SHARING_CONTENDED, /* several run, or wait for a lock of one of them: they do little else */
	SHARING_RESTING,   /* the owner sleeps with the lock: little CPU is used, others wait */
};

static enum sharing sharing_of(const struct check *e, const struct convoy *c)
{
	double count = (double)c->count, met = (double)c->met;
	bool in_turn = (double)c->at_lock * count >= CONVOY_SHARE * met * (count - 1);
	bool is_even = !c->is_interpreter || c->least * count * CONVOY_EVEN >= c->cpu;
	bool is_often = c->at_lock >= CONTENDED_LEAST &&
			(double)c->at_lock * 100 >= check_option(e, "contended") * met;
	uint64_t awake = c->at_lock + c->computing;
	bool is_busy =
		awake >= CONVOY_WHOLE * met && check_is_over(e, "percent", c->demand, "convoy");

	if (c->count < check_option(e, "convoy-threads") ||
		c->switches * cpu_load_of(e->input) < check_option(e, "convoy-rate"))
		return SHARING_NONE;
	if (is_busy && in_turn && is_even)
		return SHARING_IN_TURN;
	if (c->is_interpreter)
		return SHARING_NONE;
	if (in_turn && c->resting > c->computing &&
		(double)(awake + c->resting) >= CONVOY_WHOLE * met)
		return SHARING_RESTING;
	return is_busy && is_often ? SHARING_CONTENDED : SHARING_NONE;
}

static void report_convoy(const struct check *e, struct check_result *out, const struct convoy *c,
	enum sharing sharing)
{
	double waiting = (double)c->at_lock * (double)c->count / (double)c->met;

	finding_begin(out, confidence_high_if(c->met >= CONVOY_HIGH), "convoy");
	if (sharing == SHARING_IN_TURN) {
		finding_claim(out,
			"%s: %zu threads wait for one lock in turn, and use %.0f %% CPU together",
			c->is_interpreter ? "one thread of the interpreter runs at a time"
					  : "lock convoy",
			c->count, c->cpu);
	} else if (sharing == SHARING_RESTING) {
		finding_claim(out,
			"lock convoy: %zu threads wait for one lock in turn, and each sleeps or "
			"waits for a disk while it holds the lock",
			c->count);
	} else {
		finding_low_if(out, c->at_lock * 100 < CONTENDED_MUCH * c->met);
		finding_claim(out,
			"lock contention: %zu threads wait for locks %.0f %% of the time, and use "
			"%.0f %% CPU together",
			c->count, 100.0 * (double)c->at_lock / (double)c->met, c->cpu);
	}
	finding_count(out, "threads", c->count, 0);
	finding_count(out, "threads that wait for the lock, on average", waiting,
		sample_series_ns(&e->series));
	finding_percent(out, "CPU", c->cpu, sample_series_ns(&e->series));
	finding_rate(out, "context switches", c->switches, SOOTH_UNIT_NONE,
		sample_series_ns(&e->series));
	finding_unseen(out, "which lock of the program the threads wait for");
	if (c->is_interpreter)
		finding_remedy(out, "Python runs one thread at a time (the GIL): use processes "
				    "(multiprocessing, ProcessPoolExecutor) for computation");
	else
		finding_remedy(out,
			"hold the lock for a shorter time, or split it; sooth why -v %u shows its "
			"address and owner",
			e->id.pid);
}

static void put_switches(struct buffer *out, const struct thread_history *t)
{
	buffer_format(out, ": %.0f times a second, %.0f %% CPU", switches_per_s(t),
		thread_history_cpu(t));
}

static void report_storm(const struct check *e, struct check_result *out, const struct storm *s,
	const struct progress *p)
{
	uint64_t interval_ns = thread_history_ns(s->threads.all[0]);
	bool yields = s->yielders * 2 > s->threads.count;

	finding_begin(out, confidence_high_if(p->is_measured), "");
	finding_claim(out, "%s: %zu threads burn %.0f %% CPU",
		yields ? "threads keep yielding to each other" : "lock contention",
		s->threads.count, s->cpu);
	finding_count(out, "threads", s->threads.count, 0);
	finding_rate(out, yields ? "yields" : "sleeps at locks", s->switches, SOOTH_UNIT_NONE,
		interval_ns);
	finding_percent(out, "CPU", s->cpu, interval_ns);
	finding_percent(out, "kernel share", percent_in_kernel(s), interval_ns);
	progress_emit(p, out);
	thread_top_emit(&s->threads, out, put_switches);
	if (s->futexes)
		finding_rate(out, "futex calls",
			(double)s->futexes * (double)NS_PER_S / (double)interval_ns,
			SOOTH_UNIT_NONE, interval_ns);
	if (s->lock_weight)
		finding_text(out, "most contended lock", "at address 0x%llx",
			(unsigned long long)s->lock);
	finding_unseen(out, "which lock of the program the threads wait for");
	finding_remedy(out,
		yields ? "use fewer threads than CPUs; replace the spin lock (sched_yield) by one "
			 "that sleeps; sooth trace -c -p %u counts the calls"
		       : "use fewer threads, or do more work per lock; sooth trace -c -p %u counts "
			 "the futex calls",
		e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct storm s = { 0 };
	struct convoy convoy;
	struct ended_input input;
	enum sharing sharing;
	struct progress p;

	find_storm(e, &s);
	find_convoy(e, &convoy);
	sharing = sharing_of(e, &convoy);
	progress_of(&p, e);
	if (s.most_switches < 0)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (s.threads.count && !s.has_times)
		check_blind_by(out, FINDING_UNSUPPORTED, "kernel time was not recorded", "");
	else if (is_storm(e, &s, &p) && ended_input_is_read(&input, e))
		check_fine(out, "its threads keep reading an input that has ended: reported as "
				"left behind");
	else if (is_storm(e, &s, &p))
		report_storm(e, out, &s, &p);
	else if (sharing)
		report_convoy(e, out, &convoy, sharing);
	else if (may_be_storm(e, &s, &p) && s.cpu_ns < TICKS_LEAST_NS)
		check_blind_because(out,
			"other processes had the CPUs: these threads ran too little to measure "
			"their kernel share",
			"try again when the host is less busy");
	else if (s.threads.count && s.unseen && !s.at_locks)
		check_blind(out, s.unseen);
	else if (s.threads.count)
		check_fine(out,
			"%zu thread%s waiting for locks, %.0f times a second, %.0f %% of the CPU "
			"time in the kernel",
			s.threads.count, s.threads.count == 1 ? "" : "s", s.switches,
			percent_in_kernel(&s));
	else
		check_fine(
			out, "at most %.0f context switches a second per thread", s.most_switches);
}

const struct finding_detector finding_lock_storm = { diagnose, FINDING_OPTIONS(options) };

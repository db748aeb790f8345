/* SPDX-License-Identifier: BSD-2-Clause */
/* busy-poll: a thread wakes very often, does next to nothing, and moves no data: the thread polls
 * for work instead of waiting for it. Time has to be what wakes the thread: it sleeps, or its
 * timeouts are short enough to explain all its wakeups; if the length of a timeout is unknown, no
 * other thread of the process may be awake often enough to have woken it. Or signals wake it, one
 * after the other. If its system calls were recorded, their results decide. A thread that events
 * wake often has work to do. */
#include "analyze/diagnosis/call_check.h"
#include "analyze/evidence/ended_input.h"
#include "analyze/evidence/tally.h"
#include "analyze/evidence/work_share.h"
#include "probes/syscall_names.h"

NUMBER(WAKES_A_THREAD, 4, NONE, "wakeups of a thread that starts another and waits for its end");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 500, 1, 1e9, "minimum wakeups per second of a thread"),
	TIME_THRESHOLD(
		"max-cpu", 150e3, 1e3, 1e9, "maximum CPU time that the thread uses per wakeup"),
	UNLISTED_BYTES("max-moved", 4, 0, 1e9,
		"maximum bytes that the process reads and writes per wakeup of the thread"),
	THRESHOLD("min-readings", 3, 2, 500, "minimum number of samples of the thread"),
};

enum alarm {
	ALARM_OTHER, /* events, or not known */
	ALARM_SLEEP,
	ALARM_SHORT,  /* timeouts of known length explain all wakeups */
	ALARM_SEEN,   /* recorded calls: its waits ended by timeout */
	ALARM_LIKELY, /* timeouts of unknown length, no other thread is busy */
	ALARM_SIGNAL, /* waits for a signal, usually of its own timer */
};

struct polling {
	struct thread_top threads; /* most wakeups first */
	double wakes;		   /* per second, all threads together */
	double cpu;		   /* percent of one CPU */
	double most_wakeups; /* wakeups of the thread with most of them; negative: not measured */
	uint8_t unseen;	     /* reason why a thread that wakes often could not be diagnosed */
	bool is_sure;	     /* certain for at least one thread */
};

/* Returns the wakeups of a thread per second, without those of major page faults: each waits for
 * the disk until its page is there. Negative: not measured. */
static double wakeups_per_s(const struct thread_history *t)
{
	double wakes = thread_history_voluntary(t), faults = thread_history_major_faults(t);

	if (faults <= 0 || wakes < 0)
		return wakes;
	return wakes > faults ? wakes - faults : 0;
}

/* --- what wakes a thread --- */

/* Returns whether timeouts explain `wakes`: they cause at most this many wakeups; events come
 * earlier, and cause more. */
static bool timeouts_explain(const struct thread_history *t, double wakes)
{
	return t->short_timeouts &&
	       wakes <= 1.05 * t->short_timeouts_hz / (double)t->short_timeouts;
}

static bool are_others_quiet(const struct check *e, const struct thread_history *one, double wakes)
{
	double others = 0;

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (t == one)
			continue;
		others += thread_history_voluntary(t) > 0 ? thread_history_voluntary(t) : 0;
		if (thread_history_cpu(t) > 5)
			return false;
	}
	return others < wakes / 4;
}

/* Nine of ten waits have to end by timeout. False: the recorded calls are too few to
 * decide. */
static bool decide_by_calls(
	const struct check *e, const struct thread_history *t, double wakes, enum alarm *out)
{
	const struct call_waits *w = check_waits(e, t->tid);
	double seconds = (double)(e->input->end_ns - e->input->begin_ns) / (double)NS_PER_S;
	uint64_t all = w ? w->by_time + w->by_event : 0;

	if (!all || (double)all < wakes * seconds / 2)
		return false;
	*out = w->by_time >= all - all / 10 ? ALARM_SEEN : ALARM_OTHER;
	return true;
}

static enum alarm waker_of(const struct check *e, const struct thread_history *t, double wakes)
{
	uint32_t asleep = thread_waits_seen(t->waits, t->met);
	uint32_t most = asleep - asleep / 4;
	enum alarm by_calls;

	if (asleep && t->waits[THREAD_WAIT_SIGNAL] >= most)
		return ALARM_SIGNAL;
	if (decide_by_calls(e, t, wakes, &by_calls))
		return by_calls;
	if (!asleep || t->with_timeout < most)
		return ALARM_OTHER;
	if (t->waits[THREAD_WAIT_TIME] >= most)
		return ALARM_SLEEP;
	if (t->short_timeouts >= most)
		return timeouts_explain(t, wakes) ? ALARM_SHORT : ALARM_OTHER;
	return are_others_quiet(e, t, wakes) ? ALARM_LIKELY : ALARM_OTHER;
}

static void add_if_polling(const struct check *e, struct polling *p, const struct thread_history *t)
{
	double wakes = wakeups_per_s(t), cpu = thread_history_cpu(t);
	enum alarm alarm;

	if (wakes > p->most_wakeups)
		p->most_wakeups = wakes;
	if (t->met < check_option(e, "min-readings") || cpu < 0 ||
		!check_is_over(e, "min-rate", wakes, "") ||
		cpu / 100 * (double)NS_PER_S / wakes > check_option(e, "max-cpu"))
		return;
	p->unseen = p->unseen ? p->unseen : thread_history_unseen(t);
	alarm = waker_of(e, t, wakes);
	if (alarm == ALARM_OTHER)
		return;
	thread_top_add(&p->threads, t, wakeups_per_s);
	p->wakes += wakes;
	p->cpu += cpu;
	p->is_sure |= alarm != ALARM_LIKELY;
}

static void emit_waker(const struct check *e, struct check_result *out,
	const struct thread_history *t, enum alarm alarm)
{
	char call[SYSCALL_NAME_SIZE] = "a system call";

	if (t->calls[0].input)
		syscall_name(t->calls[0].abi, t->calls[0].syscall, call);
	if (alarm == ALARM_SEEN)
		finding_text(out, "woken by", "timeouts: %llu of %llu waits ended by timeout",
			(unsigned long long)check_waits(e, t->tid)->by_time,
			(unsigned long long)(check_waits(e, t->tid)->by_time +
					     check_waits(e, t->tid)->by_event));
	else if (alarm == ALARM_SIGNAL)
		finding_text(out, "woken by", "signals, in %s", call);
	else if (alarm == ALARM_SLEEP)
		finding_text(out, "woken by", "sleeping in %s", call);
	else if (alarm == ALARM_SHORT)
		finding_text(out, "woken by",
			"timeouts of %.1f ms in %s: at most %.0f wakeups a second",
			1000 * t->short_timeouts / t->short_timeouts_hz, call,
			t->short_timeouts_hz / t->short_timeouts);
	else
		finding_text(out, "woken by",
			"its own timeouts in %s: no other thread runs often enough to cause these "
			"wakeups",
			call);
}

static void put_wakeups(struct buffer *out, const struct thread_history *t)
{
	buffer_format(out, ": %.0f wakeups a second", wakeups_per_s(t));
}

static void report_polling(const struct check *e, struct check_result *out, const struct polling *p,
	const struct progress *progress)
{
	const struct thread_history *t = p->threads.all[0];
	enum alarm alarm = waker_of(e, t, wakeups_per_s(t));
	uint64_t interval_ns = thread_history_ns(t);
	bool is_sure = p->is_sure && progress->is_measured;

	finding_begin(out, confidence_medium_if(is_sure), "");
	finding_low_if(out, !is_sure);
	if (p->threads.count == 1)
		finding_thread(out, t->tid);
	if (p->threads.count == 1 && alarm == ALARM_SIGNAL)
		finding_claim(out,
			"signals wake thread %s (%u) %.0f times a second, and it does next to "
			"nothing: a timer of its own, as a rule",
			t->name, t->tid, p->wakes);
	else if (p->threads.count == 1)
		finding_claim(out, "polls without work: thread %s (%u) wakes %.0f times a second",
			t->name, t->tid, p->wakes);
	else
		finding_claim(out,
			"polls without work: %zu threads wake %.0f times a second in total",
			p->threads.count, p->wakes);
	finding_rate(out, "wakeups", p->wakes, SOOTH_UNIT_NONE, interval_ns);
	finding_percent(out, "CPU", p->cpu, interval_ns);
	finding_number(out, "CPU time used per wakeup", p->cpu / 100 * (double)NS_PER_S / p->wakes,
		SOOTH_UNIT_NS, interval_ns);
	progress_emit(progress, out);
	emit_waker(e, out, t, alarm);
	thread_top_emit(&p->threads, out, put_wakeups);
	finding_unseen(out, progress->has_calls
				    ? "whether the process exchanges data through shared memory"
				    : "whether the process exchanges data through shared memory, "
				      "or through sockets other than TCP");
	if (alarm == ALARM_SIGNAL)
		finding_remedy(out,
			"give the timer a longer interval (setitimer, timer_create); sooth trace "
			"-p %u shows the signals",
			e->id.pid);
	else
		finding_remedy(out,
			"sooth trace -c -p %u shows what it polls; the fix: block until there is "
			"work (poll on the descriptor, inotify, a condition variable), or poll "
			"less often",
			e->id.pid);
}

static bool waits_for_threads(const struct check *e, const struct polling *p)
{
	return e->calls.is_read &&
	       check_calls_rate(e, e->calls.history->threads) * WAKES_A_THREAD >= p->wakes;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct polling p = { .most_wakeups = -1 };
	struct ended_input input;
	struct progress progress;

	thread_histories_for_each (&e->input->threads, &e->id, t)
		add_if_polling(e, &p, t);
	progress_of(&progress, e);
	if (p.most_wakeups < 0)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (p.threads.count && ended_input_is_read(&input, e))
		check_fine(out, "reported by left-behind");
	else if (p.threads.count && !waits_for_threads(e, &p) &&
		 progress.bytes_per_s <= check_option(e, "max-moved") * p.wakes)
		report_polling(e, out, &p, &progress);
	else if (p.threads.count)
		check_fine(
			out, "the busiest thread wakes %.0f times a second, and has work", p.wakes);
	else if (p.unseen)
		check_blind(out, p.unseen);
	else
		check_fine(out, "at most %.0f wakeups a second per thread", p.most_wakeups);
}

const struct finding_detector finding_busy_poll = { diagnose, FINDING_OPTIONS(options) };

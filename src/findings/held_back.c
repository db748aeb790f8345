/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * held-back: the process could run and may not: the CPU quota of its control group is used up,
 * memory.high slows it down, its I/O limit makes it wait for the disk, or other processes have the
 * CPUs. The process is not slow by itself, and a restart changes nothing.
 *
 * On a busy host each process waits; so a process is starved only if it gets next to nothing of the
 * CPU it could use.
 */
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "analyze/evidence/held.h"
#include "analyze/evidence/limit_users.h"

NUMBER(COUNTED_LEAST, 20, PERCENT, "of the CPU, for a thread that ran meanwhile");
NUMBER(STATES_LEAST, 4, NONE, "samples: fewer states do not show how long it could run");

static const struct finding_option options[] = {
	THRESHOLD("min-throttled", 2, 0.01, 1e6,
		"minimum number of times per second that the control group used up its CPU quota"),
	UNLISTED("often", 5, 0.01, 1e6, "severity is low below this number of times per second"),
	UNLISTED_PERCENT("own-share", 25, 0, 100,
		"minimum CPU use of the process, in percent of the CPU quota"),
	UNLISTED_PERCENT("others-waited", 50, 0, 100,
		"minimum percentage of the time in which the process is ready to run, if others of "
		"its control group use more of the CPU quota"),
	UNLISTED("min-high", 1, 0.01, 1e9,
		"minimum number of times per second that the control group was above memory.high"),
	PERCENT_THRESHOLD("could-run", 80, 1, 100,
		"minimum percentage of the time in which a starved thread could run"),
	PERCENT_THRESHOLD("starved", 95, 1, 100,
		"minimum percentage of that time in which other threads had the CPUs"),
	UNLISTED_PERCENT("starved-bound", 70, 1, 100,
		"minimum percentage of that time, if the process may run on some CPUs only"),
};

static void emit_time(struct check_result *out, const struct held_time *t)
{
	if (!t->is_measured)
		return;
	finding_percent(out, "share of the time in which its busiest waiting thread ran", t->ran,
		t->interval_ns);
	finding_percent(out, "share of the time in which it was ready to run and got no CPU",
		t->waited, t->interval_ns);
}

static void emit_limit_file(
	struct check_result *out, const struct limits_group *g, const char *file)
{
	finding_text(out, "limit is set in", "%s of the control group %.*s (version %u)", file,
		SPAN_ARGS(record_text(&g->record, &g->path)), g->version);
}

/* --- CPU quota --- */

static bool is_used_by_others(
	const struct check *e, const struct held_limit *l, struct limit_users *users)
{
	limit_users_find(
		users, e, LIMITS_SHARED_CPU, record_text(&l->group->record, &l->group->path));
	return users->count && !limit_user_is_self(e, &users->top[0]);
}

/* Returns whether a process that it started uses most of the quota: its work is held back. */
static bool is_used_below(const struct check *e, const struct limit_users *users)
{
	return users->count && e->process && users->top[0].process &&
	       process_table_is_below(users->top[0].process, e->process);
}

static bool is_throttled(
	const struct check *e, const struct held_limit *l, const struct held_time *t)
{
	double quota = l->group ? (double)l->group->limit / 1e4 : 0; /* percent of one CPU */
	struct limit_users users;
	double cpu = e->process ? process_table_cpu_percent(e->process) : -1;

	if (!l->group || cpu < 0 || !check_is_over(e, "min-throttled", l->per_s, "cpu"))
		return false;
	return cpu * 100 >= check_option(e, "own-share") * quota ||
	       (is_used_by_others(e, l, &users) &&
		       (is_used_below(e, &users) ||
			       (t->is_measured && t->waited >= check_option(e, "others-waited"))));
}

static void report_throttled(const struct check *e, struct check_result *out,
	const struct held_limit *l, const struct held_time *t)
{
	const struct limits_group *g = l->group;
	const char *file = g->version == 1 ? "cpu.cfs_quota_us" : "cpu.max";
	struct limit_users users;
	_cleanup_(buffer_fini) struct buffer by = { 0 };

	if (is_used_by_others(e, l, &users))
		limit_users_put(&by, e, &users, LIMITS_SHARED_CPU);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "cpu");
	finding_low_if(out, l->per_s < check_option(e, "often"));
	finding_claim(out,
		"held back by the CPU quota of its control group: %.2f CPUs, used up %.1f times a "
		"second%s",
		(double)g->limit / 1e6, l->per_s, buffer_cstr(&by));
	emit_limit_file(out, g, file);
	finding_rate(out, "times the quota was used up", l->per_s, SOOTH_UNIT_NONE, l->interval_ns);
	finding_percent(out, "quota of the control group", (double)g->limit / 1e4, 0);
	finding_percent(
		out, "CPU", process_table_cpu_percent(e->process), sample_series_ns(&e->series));
	emit_time(out, t);
	finding_unseen(out, "whether the process needs more CPU than the quota, or wastes it");
	finding_remedy(out,
		"raise %s of %.*s (systemd: systemctl set-property UNIT CPUQuota=), or give the "
		"process less to do; a restart does not help",
		file, SPAN_ARGS(record_text(&g->record, &g->path)));
}

/* --- memory.high --- */

static void report_high(struct check_result *out, const struct held_limit *l)
{
	const struct limits_group *g = l->group;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "memory-high");
	finding_claim(out,
		"held back by memory.high of its control group: above it %.1f times a second",
		l->per_s);
	emit_limit_file(out, g, "memory.high");
	finding_rate(out, "number of times the limit was exceeded", l->per_s, SOOTH_UNIT_NONE,
		l->interval_ns);
	finding_bytes(out, "limit", g->limit);
	if (!g->used_state)
		finding_bytes(out, "memory in use", g->used);
	finding_remedy(out,
		"raise memory.high of %.*s (systemd: systemctl set-property UNIT MemoryHigh=), or "
		"let the process use less memory",
		SPAN_ARGS(record_text(&g->record, &g->path)));
}

/* --- I/O limits --- */

static void report_io(struct check_result *out, const struct held_io *io)
{
	const struct limits_group *g = io->group;
	const char *file = g->version == 2 ? "io.max"
			   : io->is_write  ? "blkio.throttle.write_bps_device"
					   : "blkio.throttle.read_bps_device";

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "io");
	finding_thread(out, io->tid);
	finding_claim(out,
		"held back by the I/O limit of its control group: may %s %s a second, and waits "
		"for the disk %.0f %% of the time",
		io->is_write ? "write" : "read", SENTENCE_SIZE(g->limit), io->waited);
	emit_limit_file(out, g, file);
	finding_rate(out, "limit", (double)g->limit, SOOTH_UNIT_BYTES, 0);
	finding_rate(out, "bytes that the thread reads and writes", io->moved_per_s,
		SOOTH_UNIT_BYTES, io->interval_ns);
	finding_percent(out, "share of the time in which it waits for the disk", io->waited,
		io->interval_ns);
	finding_unseen(out, "whether the disk itself is as slow");
	finding_remedy(out,
		"raise %s of %.*s (systemd: systemctl set-property UNIT \"IO%sBandwidthMax=DEVICE "
		"BYTES\"), or let the process %s less; a restart does not help",
		file, SPAN_ARGS(record_text(&g->record, &g->path)), io->is_write ? "Write" : "Read",
		io->is_write ? "write" : "read");
}

/* --- other processes --- */

/* Finds the processes on the CPUs that the process may use. False: they do not use more of these
 * CPUs than it does. */
static bool is_limited_to_cpus(const struct check *e, struct limit_users *users)
{
	limit_users_find(users, e, LIMITS_SHARED_CPUS, span_of("", 0));
	return users->count && !limit_user_is_self(e, &users->top[0]);
}

static bool is_starved(const struct check *e, const struct held_time *t)
{
	double could = t->ran + t->waited;
	struct limit_users users;

	return t->is_measured && could >= check_option(e, "could-run") &&
	       check_is_over(e, is_limited_to_cpus(e, &users) ? "starved-bound" : "starved",
		       100 * t->waited / could, "starved");
}

static void report_starved(
	const struct check *e, struct check_result *out, const struct held_time *t)
{
	double could = t->ran + t->waited;
	struct limit_users users;
	_cleanup_(buffer_fini) struct buffer by = { 0 }, where = { 0 };
	bool on_own = is_limited_to_cpus(e, &users), is_last = t->policy == THREADS_IDLE;
	const struct limits_holder *h = users.top[0].holder;
	struct span cpus = on_own ? record_text(&h->record, &h->place) : span_of("", 0);

	if (on_own)
		buffer_format(&where, " on CPU %.*s, the only one%s that it may use",
			SPAN_ARGS(cpus),
			span_contains(cpus, "-") || span_contains(cpus, ",") ? "s" : "");
	else
		limit_users_of_host(&users, e);
	if (users.count && limit_user_is_self(e, &users.top[0]))
		users.count = 0;
	limit_users_put(&by, e, &users, LIMITS_SHARED_CPUS);
	if (on_own)
		buffer_string(&by, " (last seen there)");
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "starved");
	finding_severity(out, on_own ? FINDING_MEDIUM : FINDING_LOW);
	finding_thread(out, t->tid);
	finding_claim(out,
		"starved by other processes%s%s: ready to run %.0f %% of the time, gets %.1f %% of "
		"a CPU%s",
		buffer_cstr(&where),
		is_last	      ? ", which all go first: its policy is SCHED_IDLE"
		: t->nice > 0 ? ", which have a higher priority"
			      : "",
		could < 100 ? could : 100, t->ran, /* two clocks: rounding */
		buffer_cstr(&by));
	if (t->nice > 0)
		finding_count(out, "nice value", t->nice, 0);
	emit_time(out, t);
	if (e->input->load.record.time_ns && !e->input->load.load_state)
		finding_count(out, "load of the host (1 min)", e->input->load.load_1m, 0);
	if (e->input->load.cpus)
		finding_count(out, "CPUs", e->input->load.cpus, 0);
	if (!users.count)
		finding_unseen(out, "which processes use the CPUs; sooth ps -a shows them");
	if (is_last)
		finding_remedy(out, "chrt -a -o -p 0 %u gives it the usual share", e->id.pid);
	else if (t->nice > 0)
		finding_remedy(
			out, "renice -n 0 -p %u gives it the usual share (as root)", e->id.pid);
	else
		finding_remedy(out,
			"end processes that are not needed, or raise cpu.weight (version 1: "
			"cpu.shares) of its control group: cat /proc/%u/cgroup names it",
			e->id.pid);
}

/* Returns the time that the thread waited for a CPU. The kernel adds such a wait to the counter
 * when it ends; a wait that lasts shows only in the states. A thread that ran meanwhile has most of
 * its waits in the counter: if the counter has little, the samples met the thread ready by chance,
 * as a thread that a timer wakes together with the samples. */
static double waited_for_cpu(const struct check *e, const struct thread_history *t, double ran)
{
	bool is_always_ready = t->running == t->input && t->input >= STATES_LEAST;
	double counted = thread_history_demand(t) - ran;

	if (!is_always_ready || ran > 100 - check_option(e, "starved"))
		return counted;
	return t->first.cpu_ns == t->last.cpu_ns || counted >= COUNTED_LEAST ? 100 - ran : counted;
}

static struct held_time held_time_of(const struct check *e)
{
	struct held_time most = { 0 };

	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double ran = thread_history_cpu(t);
		double waited = waited_for_cpu(e, t, ran);

		if (ran < 0 || t->waited_state || (most.is_measured && waited <= most.waited))
			continue;
		most = (struct held_time){ true, ran, waited, t->tid, thread_history_ns(t),
			t->policy, t->nice };
	}
	return most;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct held_limit quota = held_limit_of(e, "cpu");
	struct held_limit high = held_limit_of(e, "memory-high");
	struct held_time time = held_time_of(e);
	struct held_io io = held_io_of(e);
	bool by_quota = is_throttled(e, &quota, &time);

	if (by_quota)
		report_throttled(e, out, &quota, &time);
	if (high.group && check_is_over(e, "min-high", high.per_s, "memory-high"))
		report_high(out, &high);
	if (io.group)
		report_io(out, &io);
	if (!by_quota && is_starved(e, &time))
		report_starved(e, out, &time);
	if (out->found || out->muted)
		return;
	if (!time.is_measured)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else
		check_fine(out, "ready to run and not running: %.0f %% of the time", time.waited);
}

const struct finding_detector finding_held_back = { diagnose, FINDING_OPTIONS(options) };

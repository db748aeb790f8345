/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu-spin: threads burn CPU without visible progress: they do not wait, move no data, and
 * touch no new memory. Computing on data that is already in memory looks the same, so severity
 * depends on the process and on how long it has done so: an agent or a server should be
 * waiting, a command may just be at work.
 *
 * On a busy host a thread gets less CPU than it could use, so running and runnable time both
 * count. */
#include <stdio.h>
#include <string.h>

#include "analyze/activity/activity_tool.h"
#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/held.h"
#include "analyze/evidence/repeated_call.h"
#include "analyze/evidence/scripts.h"
#include "analyze/evidence/tally.h"
#include "analyze/evidence/work_share.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/profile/profile_task.h"
#include "analyze/profile/profile_regexp.h"
#include "base/sentence_units.h"
#include "base/cleanup.h"

NUMBER(PART_OF_DEMAND, 0.7, NONE, "share of the demand: with less, other threads have the CPU");
NUMBER(QUOTA_PER_S, 1, NONE, "times a second that a quota is used up: explains a low CPU use");
NUMBER(RESULTS_A_S, 0.5, NONE, "lines a second of a main thread that prints for its workers");
NUMBER(RESULTS_A_CPU_S, 0.5, NONE, "lines per CPU second of a command that makes progress");
NUMBER(RESULT_CPU_NS, 1e6, NS, "CPU time for each line: with less it is a loop that prints");

NUMBER(ONCE_AGE_NS, 10 * NS_PER_S, NS, "a younger process may still start");
NUMBER(START_WRITTEN, 16, NONE, "bytes that a launcher writes before the exec");
NUMBER(START_BYTES, 4 << 20, NONE, "that a program reads at its start");
NUMBER(SAME_BYTES, 65536, NONE, "more memory between two samples of a single look");

/* --- the finding --- */

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("percent", 85, 1, 100,
		"minimum percentage of the time in which a thread runs or is ready to run"),
	PERCENT_THRESHOLD(
		"min-cpu", 2, 0.1, 100, "minimum CPU use of a thread, in percent of one CPU"),
	UNLISTED_PERCENT("sure", 50, 0.1, 100,
		"severity is low if the threads use less CPU than this (percent of one CPU), "
		"counting the time in which they are ready to run"),
	UNLISTED_PERCENT("victim", 10, 0, 100,
		"minimum CPU use of threads that are ready to run for much longer, in percent of "
		"one CPU"),
	UNLISTED("max-waits", 20, 0, 1e6, "maximum number of waits per second of a thread"),
	UNLISTED_TIME("min-stretch", 50e3, 0, 1e9,
		"minimum CPU time of a thread between two context switches (less: lock-storm)"),
	UNLISTED("max-faults", 5, 0, 1e9,
		"maximum new memory pages per second of a thread (more: it does real work)"),
	UNLISTED_BYTES("max-moved", 10240, 0, 1e12,
		"maximum bytes per second that the process reads and writes"),
	UNLISTED_PERCENT("in-kernel", 20, 1, 100,
		"system calls count as the cause from this share of CPU time in the kernel "
		"(percent)"),
	UNLISTED_TIME("max-per-call", 100e3, 1e2, 1e9,
		"maximum CPU time per call of a repeated system call that is the cause"),
	UNLISTED_TIME("some", 120e9, 0, 1e15,
		"severity is low if the thread has used less CPU time than this"),
	UNLISTED_TIME("long", 900e9, 1e9, 1e15,
		"severity is high if a thread has used this much CPU time or more"),
	THRESHOLD("min-readings", 3, 2, 500, "minimum number of samples of the thread"),
};

struct spin {
	struct thread_top threads;  /* the busiest first */
	uint64_t burnt_ns;	    /* CPU time of the thread with most */
	double cpu;		    /* percent of one CPU, all threads together */
	double demand;		    /* the same including the time they were ready to run */
	bool is_held;		    /* a CPU quota was used up meanwhile */
	double highest_cpu;	    /* CPU use of the busiest thread; negative: not measured */
	bool works;		    /* a busy thread shows progress */
	struct repeated_call call;  /* the call that the busiest thread repeats */
	bool is_by_call;	    /* `call` explains the CPU use */
	struct profile_spots spots; /* hot functions of the process; empty: not sampled */
	struct profile_task task;
};

/* --- spinning threads --- */

static bool burns_cpu(const struct check *e, const struct thread_history *t)
{
	double waits = thread_history_voluntary(t), bucket = thread_history_bucket(t);
	bool yields = bucket >= 0 && bucket < check_option(e, "min-stretch");

	return !yields && t->met >= check_option(e, "min-readings") &&
	       thread_history_demand(t) >= check_option(e, "percent") &&
	       thread_history_cpu(t) >= check_option(e, "min-cpu") && waits >= 0 &&
	       waits <= check_option(e, "max-waits") && t->running * 3 >= t->met * 2;
}

/* Returns whether a command computes and writes a line now and then, measured by its own CPU time:
 * a busy host gives it little. */
static bool writes_results(const struct check *e, const struct thread_history *t)
{
	double cpu = thread_history_cpu(t) / 100, writes = thread_history_writes(t);

	return !work_is_awaited(e) && cpu > 0 && writes >= RESULTS_A_CPU_S * cpu &&
	       writes * RESULT_CPU_NS <= cpu * (double)NS_PER_S;
}

/* Returns whether the main thread of a command prints the results of its workers: once in two
 * seconds, or more often. */
static bool main_writes_results(const struct check *e)
{
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (t->tid == e->id.pid)
			return !work_is_awaited(e) && thread_history_writes(t) >= RESULTS_A_S;
	}
	return false;
}

static bool call_takes_most(
	const struct check *e, const struct thread_history *t, const struct repeated_call *call)
{
	return thread_history_cpu(t) / 100 * (double)NS_PER_S <=
	       check_option(e, "max-per-call") * call->per_s;
}

/* Returns whether the call changes memory: collectors and allocators free memory piece by piece,
 * which moves no data and touches no new page, but has an effect. */
static bool changes_memory(const struct repeated_call *call)
{
	return call->kind == REPEATED_SAME &&
	       repeated_call_category(call) == SYSCALL_CATEGORY_MEMORY;
}

static bool makes_progress(const struct check *e, const struct thread_history *t)
{
	struct repeated_call call;
	bool is_most;

	repeated_call_of(&call, e, t->tid);
	is_most = call_takes_most(e, t, &call);
	/* A call that is repeated in vain counts, whatever else the thread reads and writes, and
	 * whatever memory a runtime takes meanwhile. */
	if (is_most && repeated_call_is_pointless(&call))
		return false;
	return thread_history_faults(t) > check_option(e, "max-faults") ||
	       (is_most && changes_memory(&call)) || progress_is_worker(t) ||
	       writes_results(e, t) || (t->tid != e->id.pid && main_writes_results(e));
}

static void find_spin(const struct check *e, struct spin *s)
{
	s->highest_cpu = -1;
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		double cpu = thread_history_cpu(t);

		if (cpu > s->highest_cpu)
			s->highest_cpu = cpu;
		if (cpu < 0 || !burns_cpu(e, t))
			continue;
		if (makes_progress(e, t)) {
			s->works = true;
			continue;
		}
		thread_top_add(&s->threads, t, thread_history_cpu);
		if (t->last.cpu_ns > s->burnt_ns)
			s->burnt_ns = t->last.cpu_ns;
		s->cpu += cpu;
		s->demand += thread_history_demand(t);
	}
}

/* --- what it does --- */

static void find_call(const struct check *e, struct spin *s)
{
	const struct thread_history *t = s->threads.all[0];
	double cpu_ns = thread_history_cpu(t) / 100 * (double)NS_PER_S;

	repeated_call_of(&s->call, e, t->tid);
	if (s->call.kind && cpu_ns > check_option(e, "max-per-call") * s->call.per_s)
		s->call.kind = REPEATED_NOTHING;
	s->is_by_call = repeated_call_is_pointless(&s->call);
}

/* --- how bad --- */

static bool is_half_of_host(const struct check *e, const struct spin *s)
{
	uint32_t cpus = e->input->load.cpus;

	return cpus > 1 && s->cpu >= 100.0 * cpus / 2;
}

static enum finding_severity severity(
	const struct check *e, const struct spin *s, const struct progress *p, bool in_kernel)
{
	if (s->is_held || s->demand < check_option(e, "sure"))
		return FINDING_LOW;
	if (work_should_wait(e->process) || (double)s->burnt_ns >= check_option(e, "long"))
		return FINDING_HIGH;
	if (s->is_by_call)
		return FINDING_MEDIUM;
	/* A search for files makes many short calls too, and looks like a loop. */
	if (in_kernel || !p->is_measured || (double)s->burnt_ns < check_option(e, "some"))
		return FINDING_LOW;
	return is_half_of_host(e, s) ? FINDING_HIGH : FINDING_MEDIUM;
}

/* --- the finding --- */

static void put_thread(struct buffer *out, const struct thread_history *t)
{
	enum thread_role role = thread_top_role(t);

	buffer_format(out, "%s%s: %.0f %%", role ? ", " : "",
		role ? thread_role_names.names[role] : "", thread_history_cpu(t));
}

static bool is_starved(const struct spin *s)
{
	return s->cpu < PART_OF_DEMAND * s->demand;
}

static void put_cpu_use(struct buffer *out, const struct spin *s)
{
	const struct thread_history *t = s->threads.all[0];

	if (s->threads.count > 1)
		buffer_format(out, "%zu threads use %.1f CPUs", s->threads.count, s->cpu / 100);
	else if (t->tid == t->process.pid)
		buffer_format(out, "uses %.0f %% of a CPU", s->cpu);
	else
		buffer_format(out, "thread %s (%u) uses %.0f %% of a CPU", t->name, t->tid, s->cpu);
	if (is_starved(s))
		buffer_string(out, s->is_held ? ", all that its CPU quota leaves"
					      : ", all that the busy host leaves it");
}

/* Appends the hot functions: "; in loop (a.py:2), most in step (a.py:9)". */
static void put_hot_functions(struct buffer *out, struct spin *s)
{
	struct profile_spots *spots = &s->spots;
	const char *within = buffer_cstr(&spots->within), *hottest = buffer_cstr(&spots->hottest);

	if (s->task.text) {
		buffer_format(out, "; in %s%s%s", s->task.text, s->task.effect ? ": " : "",
			s->task.effect ? s->task.effect : "");
		return;
	}
	if (spots->is_regexp && !*within) {
		buffer_format(out, "; in %s", hottest);
		return;
	}
	if (*within)
		buffer_format(out, "; in %s", within);
	if (strcmp(within, hottest) != 0)
		buffer_format(out, "%s most in %s", *within ? "," : ";", hottest);
}

/* Appends the ended parent of a process that reads from a pipe or connection without a writer: its
 * client is gone. A child of init may lead its session from the start, but init gives its own
 * children no pipe or connection to read. */
static void put_parent(struct buffer *out, const struct check *e, const struct spin *s)
{
	const struct process_entry *p = e->process;

	if (!repeated_call_is_cut_off(&s->call) || !p || !p->is_there)
		return;
	if (check_has_new_parent(p) || check_has_lost_parent(e))
		buffer_string(out, ", and its parent has ended: it was left behind");
	else if (p->process->ppid == 1)
		buffer_string(out, ", and what started it has probably ended, as it is a child of "
				   "process 1 now: left behind");
}

/* Appends what a loop does that no repeated call explains. */
static void put_activity(struct buffer *out, const struct check *e, struct spin *s, bool in_kernel)
{
	if (s->call.kind) {
		buffer_string(out, "; ");
		repeated_call_put(out, &s->call);
	} else if (in_kernel) {
		buffer_string(out, "; much of the time in system calls that return immediately");
	} else {
		put_hot_functions(out, s);
		script_code_put(out, e->process);
	}
}

/* Appends the agent's session that started the process, and that has no main process any more. */
static void put_session(struct buffer *out, const struct check *e)
{
	const struct process_entry *p = e->process;

	if (!p || !p->owner_agent || p->main || (!p->is_main_gone && !p->session_id.size))
		return;
	buffer_format(out, "; the session of %s that started it has %s", p->owner_agent->title,
		p->is_main_gone ? "ended" : "no main process here");
}

static void emit_values(
	const struct check *e, struct check_result *out, struct spin *s, const struct progress *p)
{
	const struct thread_history *t = s->threads.all[0];
	uint64_t interval_ns = thread_history_ns(t);
	double system = thread_history_system(t);

	finding_percent(out, "CPU", s->cpu, interval_ns);
	if (s->spots.hottest.size)
		finding_text(out, "hottest function", "%s: %s", buffer_cstr(&s->spots.hottest),
			buffer_cstr(&s->spots.of_hottest));
	if (s->spots.next.size)
		finding_text(out, "next hottest functions", "%s", buffer_cstr(&s->spots.next));
	if (s->spots.within.size)
		finding_text(out, "common caller", "%s: %s", buffer_cstr(&s->spots.within),
			buffer_cstr(&s->spots.of_within));
	finding_percent(out, "share of the time in which the thread ran or was ready to run",
		thread_history_demand(t), interval_ns);
	finding_rate(out, "waits", thread_history_voluntary(t), SOOTH_UNIT_NONE, interval_ns);
	if (system >= 0)
		finding_percent(out, "kernel share", system, interval_ns);
	if (thread_history_faults(t) >= 0)
		finding_rate(
			out, "new pages", thread_history_faults(t), SOOTH_UNIT_NONE, interval_ns);
	if (s->call.kind)
		finding_percent(out, "share of the thread's calls that are this one", s->call.share,
			interval_ns);
	if (s->call.kind && e->input->calls.has_time_gaps)
		check_calls_windows(out);
	progress_emit(p, out);
	thread_top_emit(&s->threads, out, put_thread);
	finding_number(out, "thread CPU time", (double)s->burnt_ns, SOOTH_UNIT_NS, 0);
	if (e->input->load.cpus)
		finding_percent(out, "CPU use of the threads, as a share of all CPUs of the host",
			s->cpu / e->input->load.cpus, interval_ns);
}

static void remedy_by_tracing(const struct check *e, struct check_result *out)
{
	finding_remedy(out,
		"sooth trace -c -p %u shows its system calls, sooth profile -p %u its functions",
		e->id.pid, e->id.pid);
}

static void put_remedy(const struct check *e, struct check_result *out)
{
	const struct process_entry *p = e->process;

	if (work_should_wait(p))
		finding_remedy(out, "if the process should be idle, restart it; ");
	else if (p && p->has_role && p->role == AGENT_ROLE_TOOL)
		finding_remedy(out, "if it should have ended: sooth kill %u; ", e->id.pid);
	remedy_by_tracing(e, out);
}

static void emit_remedy(
	const struct check *e, struct check_result *out, const struct spin *s, bool in_kernel)
{
	unsigned long long pid = e->id.pid;

	if (s->is_by_call)
		finding_remedy(out, "%s; sooth trace -p %llu shows the calls",
			repeated_call_remedy(&s->call), pid);
	else if (s->spots.is_regexp)
		finding_remedy(out, "%s; sooth profile --tree %llu shows its callers",
			PROFILE_REGEXP_REMEDY, pid);
	else if (in_kernel || s->is_held)
		remedy_by_tracing(e, out);
	else
		put_remedy(e, out);
}

static void report_spin(
	const struct check *e, struct check_result *out, struct spin *s, const struct progress *p)
{
	bool in_kernel = thread_history_system(s->threads.all[0]) >= check_option(e, "in-kernel");
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	profile_spots(&e->input->profile, &e->id, &s->spots);
	s->task = profile_task_find(&e->input->profile, &e->id);
	finding_begin(out, confidence_high_if(s->is_by_call), "");
	finding_severity(out, severity(e, s, p, in_kernel));
	if (s->threads.count == 1)
		finding_thread(out, s->threads.all[0]->tid);
	if (s->is_by_call) {
		repeated_call_put(&text, &s->call);
		put_parent(&text, e, s);
		buffer_string(&text, "; ");
		put_cpu_use(&text, s);
	} else {
		buffer_string(&text, "an endless loop, or a long computation: ");
		put_cpu_use(&text, s);
		buffer_format(
			&text, "%s without a wait, input or output", is_starved(s) ? "," : "");
		put_activity(&text, e, s, in_kernel);
	}
	put_session(&text, e);
	finding_claim(out, "%s", buffer_cstr(&text));
	emit_values(e, out, s, p);
	if (s->is_held)
		finding_unseen(out, "how much CPU the process would use without the CPU quota of "
				    "its control group: see held-back");
	else if (s->cpu < check_option(e, "sure"))
		finding_unseen(out,
			"how much CPU the process would use on an idle host: this host is busy");
	if (!s->is_by_call)
		finding_unseen(out, "%s",
			s->spots.hottest.size
				? "whether the result of that function is useful"
				: "which function uses the CPU, and whether its result is useful");
	emit_remedy(e, out, s, in_kernel);
}

/* Returns whether the process could use the CPU and gets next to nothing of it: it is unknown
 * whether it would make progress with more. */
static bool gets_too_little_cpu(const struct check *e, const struct spin *s)
{
	return is_starved(s) && !s->is_by_call && s->cpu < check_option(e, "victim");
}

static void report_undecided(struct check_result *out, const struct spin *s)
{
	char reason[160];

	snprintf(reason, sizeof(reason),
		"it gets %.0f %% of a CPU of the %.0f %% that it could use: too little to show "
		"whether it makes progress",
		s->cpu, s->demand);
	check_blind_because(out, reason, "");
}

/* --- by a single look --- */

/* Returns whether the first thread never waited in the life of the process, and had the CPU for
 * some of that time. */
static bool never_waited(const struct check *e, const struct proc_ties *t, double age_ns)
{
	double ran = (double)t->thread_cpu_ns, ready = (double)t->thread_ready_ns;

	return t->thread_state == SOOTH_STATE_VALUE &&
	       100 * (ran + ready) >= check_option(e, "percent") * age_ns &&
	       100 * ran >= check_option(e, "min-cpu") * age_ns;
}

/* Returns whether the process wrote nothing, but for its launcher before the exec, and read hardly
 * more than a program at its start. */
static bool moved_nothing(const struct check *e, const struct proc_ties *t, double age_ns)
{
	return t->io_state == SOOTH_STATE_VALUE && (double)t->written_bytes <= START_WRITTEN &&
	       (double)t->read_bytes - START_BYTES <=
		       check_option(e, "max-moved") * age_ns / (double)NS_PER_S;
}

static bool has_same_memory(const struct sample_series *s)
{
	return s->count < 2 ||
	       s->points[s->count - 1].rss_bytes <= s->points[0].rss_bytes + SAME_BYTES;
}

static bool diagnose_once(const struct check *e, struct check_result *out)
{
	const struct process_entry *p = e->process;
	const struct proc_ties *t = p->links;
	uint64_t age_ns = activity_age_ns(&e->input->host, p);
	double burnt;

	if (!t || p->process->state != 'R' || age_ns < ONCE_AGE_NS ||
		!never_waited(e, t, (double)age_ns) || !moved_nothing(e, t, (double)age_ns) ||
		!has_same_memory(&e->series) || batch_program_computes(check_name(p)))
		return false;
	burnt = (double)t->thread_cpu_ns;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_severity(out, burnt >= check_option(e, "long")	 ? FINDING_HIGH
			      : burnt >= check_option(e, "some") ? FINDING_MEDIUM
								 : FINDING_LOW);
	finding_claim(out,
		"an endless loop, or a long computation: uses %.0f %% of a CPU%s without a wait or "
		"output since its start %s ago",
		100 * burnt / (double)age_ns,
		burnt < PART_OF_DEMAND * (double)age_ns ? ", all that the busy host leaves it,"
							: "",
		SENTENCE_DURATION(age_ns));
	finding_number(out, "thread CPU time", burnt, SOOTH_UNIT_NS, 0);
	finding_unseen(out, "which function uses the CPU, and whether its result is useful");
	put_remedy(e, out);
	return true;
}

/* --- the whole check --- */

static bool is_at_work(const struct check *e, const struct spin *s)
{
	return e->process && batch_program_computes(check_name(e->process)) &&
	       (double)s->burnt_ns < check_option(e, "long") && !s->is_by_call;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct spin s = { 0 };
	struct progress p;

	find_spin(e, &s);
	if (s.threads.count)
		find_call(e, &s);
	s.is_held = held_limit_of(e, "cpu").per_s >= QUOTA_PER_S;
	progress_of(&p, e);
	if (s.highest_cpu < 0)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (s.threads.count && is_at_work(e, &s))
		check_fine(out, "computes, as this program does: %.0f %% of a CPU", s.cpu);
	else if (s.threads.count && gets_too_little_cpu(e, &s))
		report_undecided(out, &s);
	else if (s.threads.count &&
		 (p.bytes_per_s <= check_option(e, "max-moved") || s.call.kind == REPEATED_STATE))
		report_spin(e, out, &s, &p);
	else if ((s.threads.count || s.works) && e->input->are_calls_refused)
		check_blind_by(out, FINDING_REFUSED,
			"whether its input and output is progress: sooth may not observe system "
			"calls here",
			"run as root: sooth diagnose");
	else
		check_fine(out, "busiest thread: %.0f %% of a CPU%s", s.highest_cpu,
			s.threads.count || s.works ? ", with visible progress" : "");
	profile_spots_fini(&s.spots);
}

const struct finding_detector finding_cpu_spin = { diagnose, FINDING_OPTIONS(options),
	.diagnose_once = diagnose_once };

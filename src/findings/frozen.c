/* SPDX-License-Identifier: BSD-2-Clause */
/* frozen: the process is stopped. The stop may be intended (Ctrl-Z, `sooth freeze`), but is
 * reported because it fully explains a process that does nothing. The finding of a parent covers
 * its stopped children. */
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/waits/wait_sentences.h"

NUMBER(RESUMED_LEAST, 2, NONE, "stops that ended by themselves: what stops it lets it go on");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 1e9, 0, 86400e9,
		"minimum time the process is stopped (if it was sampled more than once)"),
};

/* Returns how long a signal has stopped the process; a frozen control group does not change the
 * state. */
static uint64_t stopped_ns(const struct check *e)
{
	const struct sample_series *s = &e->series;
	size_t i = s->count;

	while (i > 0 && s->points[i - 1].state == 'T')
		i--;
	return i < s->count ? s->points[s->count - 1].time_ns - s->points[i].time_ns : 0;
}

/* Returns whether there was one sample only: then the stop lasts since the thread last ran. */
static bool is_of_a_moment(const struct check *e)
{
	const struct waits_thread *t;
	struct wait_chain chain;
	struct wait_graph g;

	if (!check_chain(e, 0, &g, &chain))
		return false;
	t = chain.links[0].thread;
	return t && !t->since_state && t->since_ns < check_option(e, "min-time");
}

enum stop { STOP_BY_TERMINAL, STOP_IN_BACKGROUND, STOP_OF_JOB, STOP_BY_SIGNAL, STOP_BY_FREEZER };

static const struct claim_row rows[] = {
	[STOP_BY_TERMINAL] = { "stopped by its terminal: it is in the background and {use}", NULL,
		"bring it to the foreground with fg in its shell ({shell}); sooth thaw does not "
		"help: it would stop again" },
	[STOP_IN_BACKGROUND] = { "stopped by SIGSTOP or Ctrl-Z, in the background of its terminal",
		NULL, "fg in its shell ({shell}), or resume with: sooth thaw {any}{pid}" },
	[STOP_OF_JOB] = { "stopped by SIGSTOP or Ctrl-Z, in the background of its terminal; its "
			  "shell has the foreground",
		NULL, "fg in its shell ({shell}), or resume with: sooth thaw {any}{pid}" },
	[STOP_BY_SIGNAL] = { "stopped by SIGSTOP (or by its terminal: Ctrl-Z)", NULL,
		"resume with: sooth thaw {any}{pid} (by its terminal: bring it to the foreground "
		"with fg)" },
	[STOP_BY_FREEZER] = { "stopped: the control group of the process is frozen", NULL,
		"resume with: sooth thaw {any}{pid}" },
};

/* Returns whether the process is a job that its user suspended: its shell is in the foreground of
 * the same terminal. An agent is no such job: its user expects work from it. */
static bool is_suspended_job(const struct check *e, const struct waits_process *p)
{
	const struct process_entry *shell = e->process->parent;

	return !e->process->agent && !e->process->owner_agent && shell &&
	       shell->id.pid == p->ppid && shell->process->terminal == p->terminal &&
	       shell->process->process_group == p->terminal_group && starts_are_of_a_shell(shell);
}

/* Returns what stopped the process, as `sooth why` reports it; a signal without the probe waits. */
static enum stop kind_of_stop(const struct check *e, struct check_result *out)
{
	const struct waits_process *p;
	struct wait_chain chain;
	struct wait_graph g;
	struct buffer *use;

	if (!check_chain(e, 0, &g, &chain))
		return STOP_BY_SIGNAL;
	p = chain.links[0].process;
	finding_value_text(out, "shell", "%u", p->ppid);
	if (chain.links[0].what == WAIT_STOPPED_BY_TERMINAL) {
		use = finding_value(out, "use");
		wait_put_user(use, &g, &chain.links[0]);
		buffer_string(use, "used ");
		wait_object_text(use, &chain.links[0]);
		return STOP_BY_TERMINAL;
	}
	if (chain.links[0].what != WAIT_STOPPED || !p->terminal ||
		p->process_group == p->terminal_group)
		return STOP_BY_SIGNAL;
	return is_suspended_job(e, p) ? STOP_OF_JOB : STOP_IN_BACKGROUND;
}

static void report_stop(const struct check *e, struct check_result *out, uint64_t stopped_for_ns)
{
	bool is_stopped = e->process->process->state == 'T';
	enum stop stop;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	stop = is_stopped ? kind_of_stop(e, out) : STOP_BY_FREEZER;
	finding_low_if(out, stop == STOP_OF_JOB);
	finding_value_text(
		out, "any", "%s", e->process->agent || e->process->owner_agent ? "" : "--any ");
	finding_text(out, "known by", "%s",
		is_stopped ? "state T (stopped)" : "the control group of the process is frozen");
	if (stopped_for_ns)
		finding_number(out, "stopped for at least", (double)stopped_for_ns, SOOTH_UNIT_NS,
			check_watched_ns(e));
	else
		finding_unseen(out, "how long the process has been stopped");
	finding_upkeep(e, out);
	finding_unseen(out, "which process stopped this one, and whether on purpose");
	finding_claim_row(out, &rows[stop]);
}

/* Returns whether it was stopped and resumed again, several times. */
static bool is_often_resumed(const struct check *e)
{
	const struct sample_series *s = &e->series;
	unsigned resumed = 0;

	for (size_t i = 1; i < s->count; i++)
		resumed += s->points[i - 1].state == 'T' && s->points[i].state != 'T';
	return resumed >= RESUMED_LEAST;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct process_entry *parent = e->process ? e->process->parent : NULL;
	struct verdict verdict;
	uint64_t stopped_for_ns;

	if (!check_holds(e, out, VERDICT_FROZEN, "not stopped", &verdict))
		return;
	stopped_for_ns = stopped_ns(e);
	if (check_is_reported_of(e, parent, VERDICT_FROZEN))
		check_fine(out, "reported for %u", parent->id.pid);
	else if (is_often_resumed(e))
		check_fine(
			out, "stopped and resumed again and again, as a limiter of CPU time does");
	else if (e->process->process->state == 'T' &&
		 (e->is_one_look ? is_of_a_moment(e)
				 : check_watched_ns(e) &&
					   stopped_for_ns < check_option(e, "min-time")))
		check_blind_because(out, "the process was stopped only a moment ago", CHECK_LONGER);
	else
		report_stop(e, out, stopped_for_ns);
}

const struct finding_detector finding_frozen = { diagnose, FINDING_OPTIONS(options) };

/* SPDX-License-Identifier: BSD-2-Clause */
/* frozen: the process is stopped, so it makes no progress. The stop may be intended (Ctrl-Z, `sooth
 * freeze`), but is reported because it fully explains a process that does nothing. The kernel does
 * not record which process stopped it. The finding of a parent covers its stopped children. */
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/waits/wait_sentences.h"
#include "explain/finding.h"

static const struct finding_option options[] = {
	THRESHOLD("min-time", 1e9, 0, 86400e9,
		"minimum time the process is stopped (if it was sampled more than once)",
		.unit = SOOTH_UNIT_NS),
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
	return t && !t->since_state && (double)t->since_ns < check_option(e, "min-time");
}

/* Returns why the process is stopped, as `sooth why` reports it; unknown without the probe waits.
 * For a stop by the terminal `use` gets how the process used the terminal. */
static enum wait_what stop_of(
	const struct check *e, const struct waits_process **p, struct buffer *use)
{
	struct wait_chain chain;
	struct wait_graph g;

	if (!check_chain(e, 0, &g, &chain))
		return WAIT_UNKNOWN;
	*p = chain.links[0].process;
	if (chain.links[0].what == WAIT_STOPPED_BY_TERMINAL) {
		wait_put_user(use, &g, &chain.links[0]);
		buffer_string(use, "used ");
		wait_object_text(use, &chain.links[0]);
	}
	return chain.links[0].what;
}

/* Returns whether the process is a job that its user suspended: its shell is in the foreground of
 * the same terminal. An agent is no such job: its user expects work from it. */
static bool is_suspended_job(const struct check *e, const struct waits_process *p)
{
	const struct process_entry *shell = e->process->parent;

	return !e->process->agent && !e->process->owner_agent && shell &&
	       shell->id.pid == p->ppid && shell->process->terminal == p->terminal &&
	       shell->process->process_group == p->terminal_group && starts_are_of_a_shell(shell);
}

static void claim_stop(const struct check *e, struct check_result *out)
{
	const struct waits_process *p = NULL;
	struct buffer use = { 0 };
	enum wait_what what = stop_of(e, &p, &use);
	const char *any = e->process->agent || e->process->owner_agent ? "" : "--any ";
	unsigned long long pid = e->id.pid;

	if (what == WAIT_STOPPED_BY_TERMINAL) {
		finding_claim(out, "stopped by its terminal: it is in the background and %s",
			buffer_cstr(&use));
		finding_remedy(out,
			"bring it to the foreground with fg in its shell (%u); sooth thaw does not "
			"help: it would stop again",
			p->ppid);
	} else if (what == WAIT_STOPPED && p->terminal && p->process_group != p->terminal_group) {
		finding_claim(
			out, "stopped by SIGSTOP or Ctrl-Z, in the background of its terminal");
		if (is_suspended_job(e, p)) {
			finding_severity(out, FINDING_LOW);
			finding_claim(out, "; its shell has the foreground");
		}
		finding_remedy(out, "fg in its shell (%u), or resume with: sooth thaw %s%llu",
			p->ppid, any, pid);
	} else {
		finding_claim(out, "stopped by SIGSTOP (or by its terminal: Ctrl-Z)");
		finding_remedy(out,
			"resume with: sooth thaw %s%llu (by its terminal: bring it to the "
			"foreground with fg)",
			any, pid);
	}
	buffer_fini(&use);
}

static void claim_freezer(const struct check *e, struct check_result *out)
{
	finding_claim(out, "stopped: the control group of the process is frozen");
	finding_remedy(out, "resume with: sooth thaw %s%u",
		e->process->agent || e->process->owner_agent ? "" : "--any ", e->id.pid);
}

static void report(const struct check *e, struct check_result *out, uint64_t stopped_for_ns)
{
	bool is_stopped = e->process->process->state == 'T';

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	if (is_stopped)
		claim_stop(e, out);
	else
		claim_freezer(e, out);
	finding_text(out, "known by", "%s",
		is_stopped ? "state T (stopped)" : "the control group of the process is frozen");
	if (stopped_for_ns)
		finding_number(out, "stopped for at least", (double)stopped_for_ns, SOOTH_UNIT_NS,
			check_watched_ns(e));
	else
		finding_unseen(out, "how long the process has been stopped");
	finding_upkeep(e, out);
	finding_unseen(out, "which process stopped this one, and whether on purpose");
	finding_end(out);
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
	else if (e->process->process->state == 'T' &&
		 (e->is_one_look ? is_of_a_moment(e)
				 : check_watched_ns(e) &&
					   (double)stopped_for_ns < check_option(e, "min-time")))
		check_blind_because(out, "the process was stopped only a moment ago", CHECK_LONGER);
	else
		report(e, out, stopped_for_ns);
}

const struct finding_type finding_frozen = {
	.id = "frozen",
	.claim = "a process is stopped, or its control group is frozen",
	.probes = "proc",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

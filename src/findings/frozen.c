/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frozen: the process is stopped, so it makes no progress. That may be intended (Ctrl-Z,
 * `sooth freeze`); it is reported because it fully explains a process that does nothing. The
 * kernel does not record which process stopped it. Children that are stopped with their parent
 * are reported with it.
 */
#include "analyze/diagnosis/check_verdict.h"
#include "core/finding.h"

static const struct finding_option options[] = {
	{ .name = "min-time",
		.help = "minimum time the process is stopped (if it was sampled more than once)",
		.unit = SOOTH_UNIT_NS,
		.default_value = 1e9,
		.min = 0,
		.max = 86400e9 },
};

/* Stopped by a signal; a frozen control group leaves the state as it was. */
static uint64_t stopped_ns(const struct check *e)
{
	const struct sample_series *s = &e->series;
	size_t i = s->count;

	while (i > 0 && s->points[i - 1].state == 'T')
		i--;
	return i < s->count ? s->points[s->count - 1].time_ns - s->points[i].time_ns : 0;
}

static void report(struct check *e, uint64_t stopped_for_ns)
{
	const struct process_entry *p = e->process;
	const char *any = p->agent || p->owner_agent ? "" : "--any ";
	bool is_stopped = p->process->state == 'T';

	finding_begin(e, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(e, "%s",
		is_stopped ? "stopped by SIGSTOP (or by its terminal: Ctrl-Z)"
			   : "stopped: the control group of the process is frozen");
	finding_text(e, "known by", "%s",
		is_stopped ? "state T (stopped)" : "the control group of the process is frozen");
	if (stopped_for_ns)
		finding_number(e, "stopped for at least", (double)stopped_for_ns, SOOTH_UNIT_NS,
			check_watched_ns(e));
	else
		finding_unseen(e, "since when the process is stopped");
	finding_upkeep(e);
	finding_unseen(e, "which process stopped this one, and whether on purpose");
	finding_remedy(e, "resume with: sooth thaw %s%llu%s", any, (unsigned long long)e->id.pid,
		is_stopped ? " (by its terminal: bring it to the foreground with fg)" : "");
	finding_end(e);
}

static void diagnose(struct check *e)
{
	const struct process_entry *parent = e->process ? e->process->parent : NULL;
	struct verdict verdict;
	uint64_t stopped_for_ns;

	if (!check_holds(e, VERDICT_FROZEN, "not stopped", &verdict))
		return;
	stopped_for_ns = stopped_ns(e);
	if (check_is_reported_of(e, parent, VERDICT_FROZEN))
		check_fine(e, "reported for %llu", (unsigned long long)parent->id.pid);
	else if (e->process->process->state == 'T' && check_watched_ns(e) &&
		 (double)stopped_for_ns < check_option(e, "min-time"))
		check_blind_because(e, "the process was stopped just now", CHECK_LONGER);
	else
		report(e, stopped_for_ns);
}

const struct finding_type finding_frozen = {
	.id = "frozen",
	.claim = "a process is stopped, or its control group is frozen",
	.probes = "proc",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

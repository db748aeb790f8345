/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frozen: a process was made to stand still and does, so nothing it was to do gets done. Whoever
 * did it may mean it so (Ctrl-Z, `sooth freeze`): it is told because it is the whole answer to why
 * nothing happens. By whom is not known. Children that stand still with their parent are told
 * with it.
 */
#include "analyze/diagnosis/check_verdict.h"
#include "core/finding.h"

static const struct finding_option options[] = {
	{ .name = "min-time",
		.help = "how long it stood still, of one that is looked at again",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 1e9,
		.min = 0,
		.max = 86400e9 },
};

/* Of a stop by signal; what freezes a control group leaves the state as it was. */
static uint64_t stopped_ns(const struct check *e)
{
	const struct sample_series *s = &e->series;
	size_t i = s->count;

	while (i > 0 && s->points[i - 1].state == 'T')
		i--;
	return i < s->count ? s->points[s->count - 1].time_ns - s->points[i].time_ns : 0;
}

static void tell(struct check *e, uint64_t still_ns)
{
	const struct process_entry *p = e->process;
	const char *any = p->agent || p->owner_agent ? "" : "--any ";
	bool is_stopped = p->process->state == 'T';

	finding_begin(e, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(e, "stands still: %s, and does nothing until it is let go on",
		is_stopped ? "it was stopped by a signal (SIGSTOP, Ctrl-Z)"
			   : "its control group is frozen");
	finding_text(e, "known by", "%s",
		is_stopped ? "its state: T, stopped" : "its control group: frozen");
	if (still_ns)
		finding_number(
			e, "so for at least", (double)still_ns, SOOTH_UNIT_NS, check_watched_ns(e));
	else
		finding_unseen(e, "since when");
	finding_upkeep(e);
	finding_unseen(e, "who did it, and whether that is meant");
	finding_remedy(e, "sooth thaw %s%llu lets it go on", any, (unsigned long long)e->id.pid);
	finding_end(e);
}

static void judge(struct check *e)
{
	const struct process_entry *parent = e->process ? e->process->parent : NULL;
	struct verdict verdict;
	uint64_t still_ns;

	if (!check_holds(e, VERDICT_FROZEN, "it does not stand still", &verdict))
		return;
	still_ns = stopped_ns(e);
	if (check_is_reported_of(e, parent, VERDICT_FROZEN))
		check_fine(e, "it is told of %llu", (unsigned long long)parent->id.pid);
	else if (e->process->process->state == 'T' && check_watched_ns(e) &&
		 (double)still_ns < check_option(e, "min-time"))
		check_blind_because(e, "it was stopped a moment ago", "observe for longer");
	else
		tell(e, still_ns);
}

const struct finding_type finding_frozen = {
	.id = "frozen",
	.claim = "it was stopped, or its control group is frozen, and so nothing of it goes on",
	.probes = "proc",
	FINDING_OPTIONS(options),
	.judge = judge,
};

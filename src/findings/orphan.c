/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * orphan: what a session has left behind by accident: its main process is gone, and the
 * process was not made to stay. Whoever belongs to it is told with it, not on its own.
 */
#include "analyze/diagnosis/check_verdict.h"
#include "base/units.h"
#include "core/finding.h"

static const struct finding_option options[] = {
	{ .name = "min-age",
		.help = "age of the process: what was just started may be about to end",
		.unit = SOOTH_UNIT_NS,
		.otherwise = 2e9,
		.min = 0,
		.max = 86400e9 },
};

struct belongings {
	uint32_t processes;
	uint64_t rss_bytes;
};

/* It, and what is left over with it. */
static struct belongings belongings_of(const struct check *e)
{
	const struct process_table *c = &e->input->host.process_table;
	struct belongings sum = { 0 };
	struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(c, &position))) {
		if (p != e->process && p->linked != e->process)
			continue;
		sum.processes++;
		sum.rss_bytes += p->process->rss_bytes;
	}
	return sum;
}

static void tell(struct check *e, const struct verdict *verdict)
{
	const struct process_entry *p = e->process;
	struct belongings all = belongings_of(e);
	struct span name = check_name(p);
	bool is_long = check_watched_ns(e) > 0;

	finding_begin(e, is_long ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(e, "%.*s is left over from a session of %s that is gone; nobody waits for it",
		(int)name.size, name.data, p->owner_agent->title);
	finding_text(e, "known by", "%s", verdict->why);
	finding_upkeep(e);
	if (all.processes > 1) {
		finding_number(
			e, "processes, with what it started", all.processes, SOOTH_UNIT_NONE, 0);
		finding_number(e, "resident memory of all of them", (double)all.rss_bytes,
			SOOTH_UNIT_BYTES, 0);
	}
	finding_held(e, p->first_ns);
	finding_unseen(e, "whether somebody has left it on purpose without cutting its ties");
	finding_remedy(e, "sooth kill%s %llu, if nothing of value runs in it",
		all.processes > 1 ? " --tree" : "", (unsigned long long)p->id.pid);
	finding_end(e);
}

/* One thing, one finding. */
static bool is_abandoned(const struct check *e)
{
	struct verdict verdict;

	verdict_decide(&e->input->host.process_table, e->process, VERDICT_ABANDONED, &verdict);
	return verdict.holds;
}

/* Its environment, where an agent's markers would stand, could not be read. */
static uint8_t untold(const struct check *e)
{
	const struct process_entry *p = e->process;
	bool is_requested = p && p->is_there && !p->owner_agent && p->links;
	uint8_t state = is_requested ? p->links->markers_state : SOOTH_STATE_VALUE;

	return state_is_unmeasured(state) ? state : SOOTH_STATE_VALUE;
}

static void judge(struct check *e)
{
	const struct process_entry *top;
	struct verdict verdict;

	if (untold(e)) {
		check_blind(e, untold(e));
		return;
	}
	if (!check_holds(e, VERDICT_ORPHANED, "", &verdict))
		return;
	top = e->process->linked;
	if (is_abandoned(e)) {
		check_fine(e, "left over as an MCP server: see mcp-abandoned");
	} else if (check_is_reported_of(e, top, VERDICT_ORPHANED)) {
		check_fine(e, "left over with %llu, where it is told",
			(unsigned long long)top->id.pid);
	} else if (check_has_lost_parent(e)) {
		check_blind_because(e, "its parent ended only just now, so it may be ending too",
			"ask again in a moment");
	} else if ((double)check_age_ns(e) < check_option(e, "min-age")) {
		check_blind_because(e, "it has only just started", "ask again in a moment");
	} else {
		tell(e, &verdict);
	}
}

const struct finding_type finding_orphan = {
	.id = "orphan",
	.claim = "left over by accident from a session that is gone",
	.probes = "proc",
	FINDING_OPTIONS(options),
	.judge = judge,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * orphan: a session left this process behind by accident: its main process is gone, and the
 * process was not started to outlive it. Processes that belong to an orphan are reported with
 * it.
 */
#include "analyze/diagnosis/check_verdict.h"
#include "base/units.h"
#include "core/finding.h"

static const struct finding_option options[] = {
	{ .name = "min-age",
		.help = "minimum process age",
		.unit = SOOTH_UNIT_NS,
		.default_value = 2e9,
		.min = 0,
		.max = 86400e9 },
};

struct belongings {
	uint32_t processes;
	uint64_t rss_bytes;
};

/* The process and what is left over with it. */
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

static void report(struct check *e, const struct verdict *verdict)
{
	const struct process_entry *p = e->process;
	struct belongings all = belongings_of(e);
	struct span name = check_name(p);
	bool is_long = check_watched_ns(e) > 0;

	finding_begin(e, is_long ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(e, "left over from a session of %s that has ended: %.*s",
		p->owner_agent->title, (int)name.size, name.data);
	finding_text(e, "known by", "%s", verdict->why);
	finding_upkeep(e);
	if (all.processes > 1) {
		finding_number(e, "processes, with descendants", all.processes, SOOTH_UNIT_NONE, 0);
		finding_number(
			e, "resident memory, total", (double)all.rss_bytes, SOOTH_UNIT_BYTES, 0);
	}
	finding_since(e, p->first_ns);
	finding_unseen(e, "whether the process was left running on purpose");
	finding_remedy(e, "if the process is not needed: sooth kill%s %llu",
		all.processes > 1 ? " --tree" : "", (unsigned long long)p->id.pid);
	finding_end(e);
}

/* mcp-abandoned reports it then: one condition, one finding. */
static bool is_abandoned(const struct check *e)
{
	struct verdict verdict;

	verdict_decide(&e->input->host.process_table, e->process, VERDICT_ABANDONED, &verdict);
	return verdict.holds;
}

/* Why its environment, with an agent's markers, could not be read; a value: it was. */
static uint8_t unread_markers(const struct check *e)
{
	const struct process_entry *p = e->process;
	bool is_requested = p && p->is_there && !p->owner_agent && p->links;
	uint8_t state = is_requested ? p->links->markers_state : SOOTH_STATE_VALUE;

	return state_is_unmeasured(state) ? state : SOOTH_STATE_VALUE;
}

static void diagnose(struct check *e)
{
	const struct process_entry *top;
	struct verdict verdict;

	if (unread_markers(e)) {
		check_blind(e, unread_markers(e));
		return;
	}
	if (!check_holds(e, VERDICT_ORPHANED, "", &verdict))
		return;
	top = e->process->linked;
	if (is_abandoned(e)) {
		check_fine(e, "an MCP server that was left over: reported as mcp-abandoned");
	} else if (check_is_reported_of(e, top, VERDICT_ORPHANED)) {
		check_fine(e, "reported for %llu", (unsigned long long)top->id.pid);
	} else if (check_has_lost_parent(e)) {
		check_blind_because(e,
			"the parent ended just now: this process may be about to end too",
			"try again in a moment");
	} else if ((double)check_age_ns(e) < check_option(e, "min-age")) {
		check_too_young(e);
	} else {
		report(e, &verdict);
	}
}

const struct finding_type finding_orphan = {
	.id = "orphan",
	.claim = "left over from a session that has ended",
	.probes = "proc",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

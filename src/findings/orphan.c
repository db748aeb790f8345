/* SPDX-License-Identifier: BSD-2-Clause */
/* orphan: the main process of a session is gone and left this process behind, which was not
 * started to outlive it. The finding covers processes that belong to the orphan. */
#include "analyze/diagnosis/check_verdict.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-age", 2e9, 0, 86400e9, "minimum process age"),
};

#define SHORT_ID 8 /* characters, enough to distinguish sessions */

struct belongings {
	uint32_t processes;
	uint64_t rss_bytes;
};

static struct belongings belongings_of(const struct check *e)
{
	struct belongings sum = { 0 };

	process_table_for_each (&e->input->host.process_table, p) {
		if (p != e->process && p->linked != e->process)
			continue;
		sum.processes++;
		sum.rss_bytes += p->process->rss_bytes;
	}
	return sum;
}

static void report_orphan(
	const struct check *e, struct check_result *out, const struct verdict *verdict)
{
	const struct process_entry *p = e->process;
	struct belongings all = belongings_of(e);
	struct span name = check_name(p);
	struct span id = process_table_text(&e->input->host.process_table, &p->session_id);
	bool is_long = check_watched_ns(e) > 0;

	finding_begin(out, confidence_high_if(is_long), "");
	if (id.size)
		finding_claim(out, "left over from session %.*s of %s, which has ended: %.*s",
			id.size < SHORT_ID ? (int)id.size : SHORT_ID, id.data,
			p->owner_agent->title, SPAN_ARGS(name));
	else
		finding_claim(out, "left over from a session of %s that has ended: %.*s",
			p->owner_agent->title, SPAN_ARGS(name));
	finding_text(out, "known by", "%s", verdict->why);
	finding_upkeep(e, out);
	if (all.processes > 1) {
		finding_count(out, "processes, with descendants", all.processes, 0);
		finding_bytes(out, "resident memory, total", all.rss_bytes);
	}
	finding_since(e, out, p->first_ns);
	finding_unseen(out, "whether the process was left running on purpose");
	finding_remedy(out, "if the process is not needed: sooth kill%s %u",
		all.processes > 1 ? " --tree" : "", p->id.pid);
}

/* Returns why the environment of the process, with an agent's markers, could not be read; a value:
 * it was read. */
static uint8_t unread_markers(const struct check *e)
{
	const struct process_entry *p = e->process;
	bool is_requested = p && p->is_there && !p->owner_agent && p->links;
	uint8_t state = is_requested ? p->links->markers_state : SOOTH_STATE_VALUE;

	return state_is_unmeasured(state) ? state : SOOTH_STATE_VALUE;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct process_entry *top;
	struct verdict verdict, abandoned;

	if (unread_markers(e)) {
		check_blind(out, unread_markers(e));
		return;
	}
	if (!check_holds(e, out, VERDICT_ORPHANED, "", &verdict))
		return;
	top = e->process->linked;
	if (check_verdict(e, VERDICT_ABANDONED, &abandoned)) {
		check_fine(out, "an MCP server that was left over: reported as mcp-abandoned");
	} else if (check_is_reported_of(e, top, VERDICT_ORPHANED)) {
		check_fine(out, "reported for %u", top->id.pid);
	} else if (check_has_lost_parent(e)) {
		check_blind_because(out,
			"the parent ended just now: this process may be about to end too",
			"try again in a moment");
	} else if ((double)check_age_ns(e) < check_option(e, "min-age")) {
		check_too_young(out);
	} else {
		report_orphan(e, out, &verdict);
	}
}

const struct finding_detector finding_orphan = { diagnose, FINDING_OPTIONS(options) };

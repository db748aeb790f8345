/* SPDX-License-Identifier: BSD-2-Clause */
/* mcp-abandoned: an MCP server that no client can reach any more, or one that a newer instance
 * has replaced. A good server ends when its input closes, after a moment that is allowed. */
#include "analyze/diagnosis/check_verdict.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 2e9, 0, 3600e9,
		"minimum time since the input of the MCP server was closed"),
};

/* Reports a server without a client, or an older one that `newer` has replaced. */
static void report_server(const struct check *e, struct check_result *out,
	const struct verdict *verdict, bool is_sure, const struct process_entry *newer)
{
	const struct process_table *table = &e->input->host.process_table;
	const struct process_entry *p = e->process;
	struct span name = process_table_text(table, &p->role_name);
	const struct verdict_generation g =
		verdict_generation(&e->input->host.process_table, e->process);

	finding_begin(out, confidence_high_if(is_sure), newer ? "generation" : "");
	if (p->session_id.size)
		finding_text(out, "session", "%.*s",
			SPAN_ARGS(process_table_text(table, &p->session_id)));
	name = name.size ? name : check_name(p);
	finding_claim(out, "MCP server %.*s", SPAN_ARGS(name));
	finding_text(out, "known by", "%s", verdict->why);
	if (newer) {
		finding_severity(out, FINDING_LOW);
		finding_claim(
			out, ": process %u replaced this one, which still runs", newer->id.pid);
		finding_unseen(out, "whether both server processes are in use");
	} else {
		finding_claim(out, " with no client, still running");
		if (p->is_main_gone)
			finding_text(out, "its session", "%.*s",
				SPAN_ARGS(process_table_text(table, &p->gone)));
		finding_since(e, out, p->unfed_ns ? p->unfed_ns : p->first_ns);
	}
	if (g.count > 1)
		finding_text(out, "started as number",
			"%u of %u servers of this kind for the project", g.number, g.count);
	finding_upkeep(e, out);
	finding_remedy(out,
		"sooth kill --tree %u ends the server (a server that still runs after its input "
		"closed has a bug)",
		e->process->id.pid);
}

/* Returns whether the input was open at the first sample, and closed only a moment ago. */
static bool is_ending(const struct check *e)
{
	const struct process_entry *p = e->process;
	uint64_t since_ns = p->unfed_ns;

	if (!since_ns)
		return check_has_lost_parent(e);
	/* The input is sampled after the process itself, both in one snapshot. */
	if (e->series.count < 2 || since_ns < e->series.points[1].time_ns)
		return false;
	return (double)(p->last_ns > since_ns ? p->last_ns - since_ns : 0) <
	       check_option(e, "min-time");
}

static void diagnose_abandoned(const struct check *e, struct check_result *out)
{
	const struct process_entry *player = e->process->player;
	struct verdict verdict;

	if (!check_holds(e, out, VERDICT_ABANDONED, "", &verdict))
		return;
	if (check_is_reported_of(e, player, VERDICT_ABANDONED))
		check_fine(out, "reported for %u, which started it", player->id.pid);
	else if (is_ending(e))
		check_blind_because(out,
			"the input of the server closed just now: the server may be about to exit",
			"try again in a moment");
	else
		report_server(e, out, &verdict,
			(double)check_watched_ns(e) >= check_option(e, "min-time"), NULL);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct verdict verdict;
	bool is_older = e->process && e->process->is_there && e->process->newer &&
			e->process->player == e->process &&
			!check_verdict(e, VERDICT_ABANDONED, &verdict) &&
			!check_verdict(e, VERDICT_ORPHANED, &verdict) &&
			check_verdict(e, VERDICT_GENERATION, &verdict);

	if (is_older)
		report_server(e, out, &verdict, false, e->process->newer);
	else
		diagnose_abandoned(e, out);
}

const struct finding_detector finding_mcp_abandoned = { diagnose, FINDING_OPTIONS(options) };

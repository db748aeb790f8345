/* SPDX-License-Identifier: BSD-2-Clause */
/* outdated: a session runs an older version of its agent than the newest one installed here. */
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/known_faults.h"

static void add_fixed_faults(struct check_result *out, const struct agent *agent,
	struct span running, struct span newest)
{
	const struct known_fault *fault;
	size_t position = 0;

	while ((fault = known_fault_next(agent, running, &position))) {
		if (!known_fault_is_in(fault, newest))
			finding_text(out, "fixed since then", KNOWN_FAULT_FORMAT,
				KNOWN_FAULT_ARGS(agent, fault));
	}
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct process_entry *p = e->process;
	struct span running, newest;
	struct verdict verdict;

	if (!check_holds(e, out, VERDICT_OUTDATED,
		    p && p->agent ? "no newer version installed" : "", &verdict))
		return;
	/* The launcher, helpers and daemons of a session are reported with its main process. */
	if (check_is_reported_of(e, p->main, VERDICT_OUTDATED)) {
		check_fine(out, "reported for %u", p->main->id.pid);
		return;
	}
	running = p->match.version;
	newest = verdict_newest(&e->input->host.process_table, p->agent, p->process->uid);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(out, "runs %s %.*s, but %.*s is installed", p->agent->title,
		SPAN_ARGS(running), SPAN_ARGS(newest));
	finding_text(out, "known by", "%s", verdict.why);
	finding_time(out, "age", check_age_ns(e));
	add_fixed_faults(out, p->agent, running, newest);
	finding_remedy(out, "restart the agent session to run the installed version");
}

const struct finding_detector finding_outdated = { .diagnose = diagnose };

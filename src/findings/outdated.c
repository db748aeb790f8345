/* SPDX-License-Identifier: BSD-2-Clause */
/* outdated: a session runs an older version of its agent than is installed here. */
#include "analyze/judging/exam_verdict.h"
#include "core/finding.h"

/* Launcher, helpers and daemons of a session are told with its main process. */
static bool is_with_main(const struct exam *e)
{
	return exam_is_told_of(e, e->process->main, VERDICT_OUTDATED);
}

static void judge(struct exam *e)
{
	const struct census *c = &e->readings->host.census;
	const struct census_process *p = e->process;
	struct span running, newest;
	struct verdict verdict;

	if (!exam_holds(
		    e, VERDICT_OUTDATED, p && p->agent ? "no newer version is here" : "", &verdict))
		return;
	if (is_with_main(e)) {
		exam_fine(e, "it is told of %llu", (unsigned long long)p->main->id.pid);
		return;
	}
	running = p->match.version;
	newest = verdict_newest(c, p->agent, p->process->uid);
	finding_begin(e, FINDING_CONFIDENCE_HIGH, "");
	finding_claim(e, "runs %s %.*s, while %.*s is installed here", p->agent->title,
		(int)running.size, running.data, (int)newest.size, newest.data);
	finding_words(e, "known by", "%s", verdict.why);
	finding_number(e, "age", (double)exam_age_ns(e), SOOTH_UNIT_NS, 0);
	finding_remedy(e, "start the session anew when it suits");
	finding_end(e);
}

const struct finding_type finding_outdated = {
	.id = "outdated",
	.claim = "a session runs an older version of its agent than is installed",
	.probes = "proc",
	.judge = judge,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* See exam_verdict.h. */
#include "analyze/judging/exam_verdict.h"

#include "base/units.h"

#define REASON(state) ((enum sooth_reason)((state) >> 4))

bool exam_holds(struct exam *e, enum verdict_kind kind, const char *fine, struct verdict *out)
{
	*out = (struct verdict){ 0 };
	if (!e->process || !e->process->is_there) {
		exam_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return false;
	}
	verdict_judge(&e->readings->host.census, e->process, kind, out);
	if (state_is_unmeasured(out->state))
		exam_blind_because(e, *out->why ? out->why : sooth_reason_text(REASON(out->state)),
			exam_remedy(out->state));
	else if (!out->holds)
		exam_fine(e, "%s", fine);
	return out->holds && !state_is_unmeasured(out->state);
}

bool exam_is_told_of(const struct exam *e, const struct census_process *p, enum verdict_kind kind)
{
	struct verdict verdict;

	if (!p || p == e->process || !readings_mean(e->readings, p))
		return false;
	verdict_judge(&e->readings->host.census, p, kind, &verdict);
	return verdict.holds;
}

uint64_t exam_watched_ns(const struct exam *e)
{
	return reading_series_ns(&e->series);
}

bool exam_has_lost_parent(const struct exam *e)
{
	size_t count = e->series.count;

	return count && e->series.points[0].ppid != e->series.points[count - 1].ppid;
}

void finding_upkeep(struct exam *e)
{
	const struct census_process *p = e->process;
	double cpu = census_cpu_percent(p);

	finding_number(e, "age", (double)exam_age_ns(e), SOOTH_UNIT_NS, 0);
	finding_number(e, "resident memory", (double)p->process->rss_bytes, SOOTH_UNIT_BYTES, 0);
	if (cpu >= 0)
		finding_number(e, "CPU", cpu, SOOTH_UNIT_PERCENT, p->last_ns - p->first_ns);
}

void finding_held(struct exam *e, uint64_t since_ns)
{
	uint64_t last_ns = e->process->last_ns;

	if (last_ns > since_ns)
		finding_number(e, "so for at least", (double)(last_ns - since_ns), SOOTH_UNIT_NS,
			exam_watched_ns(e));
	else
		finding_unseen(e, "since when: it was looked at once");
}

struct span exam_name(const struct census_process *p)
{
	return record_text(&p->process->record, &p->process->name);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Turns the list of findings into alerts, for findings that came and findings that cleared. */
#include "cli/top/alerting.h"

#include <stdlib.h>
#include <string.h>

#include "cli/watch/alerts.h"
#include "explain/finding.h"

static size_t place_of(const struct top_finding *all, size_t count, const struct top_finding *f)
{
	size_t i = 0;

	while (i < count && !top_finding_is(&all[i], f->key))
		i++;
	return i;
}

/* Reports the finding. False: it is not one of the chosen findings. */
static bool report_finding(struct top *t, const struct top_finding *f, bool is_raised)
{
	const struct top_process *p = top_process_find(&t->model, &f->id);

	return alert_on_finding(
		t->alerting.alerts, &(struct alert_finding){ .start_ticks = f->id.start_ticks,
					    .pid = f->id.pid,
					    .id = f->name,
					    .severity = finding_severity_names.names[f->level - 1],
					    .claim = f->claim,
					    .remedy = f->remedy,
					    .key = f->key,
					    .row = p ? p->row : NULL,
					    .schema = t->model.schema,
					    .is_raised = is_raised,
					    .has_ended = f->has_ended });
}

static void report_cleared(struct top *t)
{
	struct top_alerting *a = &t->alerting;

	for (size_t i = 0; i < a->count;) {
		struct top_finding was = a->raised[i];

		if (place_of(t->finder.findings, t->finder.count, &was) < t->finder.count) {
			i++;
			continue;
		}
		a->raised[i] = a->raised[--a->count];
		was.has_ended = was.id.pid && !top_finding_is_alive(&was);
		report_finding(t, &was, false);
	}
}

void top_alert_on_findings(struct top *t)
{
	struct top_alerting *a = &t->alerting;

	if (!a->alerts)
		return;
	if (!a->raised)
		a->raised = calloc(FINDINGS_MAX, sizeof(*a->raised));
	if (!a->raised)
		return;
	report_cleared(t);
	for (size_t i = 0; i < t->finder.count && a->count < FINDINGS_MAX; i++) {
		const struct top_finding *f = &t->finder.findings[i];

		if (place_of(a->raised, a->count, f) == a->count && report_finding(t, f, true))
			a->raised[a->count++] = *f;
	}
}

void top_alerting_fini(struct top_alerting *a)
{
	free(a->raised);
	*a = (struct top_alerting){ 0 };
}

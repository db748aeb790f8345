/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/check_verdict.h"

#include <assert.h>

#include "recognize/script_name.h"

#define REASON(state) ((enum sooth_reason)((state) >> 4))

bool check_holds(const struct check *e, struct check_result *out, enum verdict_kind kind,
	const char *fine, struct verdict *verdict)
{
	assert(e);
	assert(verdict);
	*verdict = (struct verdict){ 0 };
	if (!e->process || !e->process->is_there) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return false;
	}
	verdict_decide(&e->input->host.process_table, e->process, kind, verdict);
	if (state_is_unmeasured(verdict->state))
		check_blind_by(out, check_cause(verdict->state),
			*verdict->why ? verdict->why : sooth_reason_text(REASON(verdict->state)),
			check_remedy(verdict->state));
	else if (!verdict->holds)
		check_fine(out, "%s", fine);
	return verdict->holds && !state_is_unmeasured(verdict->state);
}

bool check_verdict(const struct check *e, enum verdict_kind kind, struct verdict *out)
{
	assert(e);
	verdict_decide(&e->input->host.process_table, e->process, kind, out);
	return out->holds;
}

bool check_is_reported_of(
	const struct check *e, const struct process_entry *p, enum verdict_kind kind)
{
	struct verdict verdict;

	assert(e);
	if (!p || p == e->process || !diagnosis_input_is_selected(e->input, p))
		return false;
	verdict_decide(&e->input->host.process_table, p, kind, &verdict);
	return verdict.holds;
}

uint64_t check_watched_ns(const struct check *e)
{
	assert(e);
	return sample_series_ns(&e->series);
}

bool check_has_lost_parent(const struct check *e)
{
	assert(e);

	size_t count = e->series.count;

	return count && e->series.points[0].ppid != e->series.points[count - 1].ppid;
}

/* Session 0 means unknown: another PID namespace, or a kernel thread. */
bool check_has_new_parent(const struct process_entry *p)
{
	assert(p);

	uint32_t session = p->process->session;

	return p->parent && session && session != p->id.pid &&
	       session != p->parent->process->session && session != p->parent->id.pid;
}

void finding_upkeep(const struct check *e, struct check_result *out)
{
	assert(e);

	const struct process_entry *p = e->process;
	double cpu = process_table_cpu_percent(p);

	finding_time(out, "age", check_age_ns(e));
	finding_bytes(out, "resident memory", p->process->rss_bytes);
	if (cpu >= 0)
		finding_percent(out, "CPU", cpu, p->last_ns - p->first_ns);
}

void finding_since(const struct check *e, struct check_result *out, uint64_t since_ns)
{
	assert(e);

	uint64_t last_ns = e->process->last_ns;

	if (last_ns > since_ns)
		finding_number(out, "in this state for at least", (double)(last_ns - since_ns),
			SOOTH_UNIT_NS, check_watched_ns(e));
	else
		finding_unseen(out,
			"how long the process has been in this state: it was sampled only once");
}

struct span check_name(const struct process_entry *p)
{
	assert(p);
	return record_text(&p->process->record, &p->process->name);
}

void check_put_program(struct buffer *out, const struct process_entry *p)
{
	struct span name = check_name(p);
	struct span script = script_name_of(name, process_table_known_arguments(p));

	buffer_format(
		out, "%.*s%s%.*s", SPAN_ARGS(name), script.size ? " " : "", SPAN_ARGS(script));
}

void check_put_name(struct buffer *out, const struct process_entry *p)
{
	check_put_program(out, p);
	buffer_format(out, " (%u)", p->id.pid);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu-limit-near: the process has used most of the CPU time it is allowed (RLIMIT_CPU). Shared
 * hosts set this limit for logins and batch jobs. At the soft limit it gets SIGXCPU, which ends
 * most programs. The kernel raises the soft limit of a process that handles SIGXCPU by a second
 * each time: such a process is compared with the hard limit, where it gets SIGKILL. */
#include "analyze/diagnosis/check.h"
#include "base/sentence_units.h"
#include "explain/finding.h"
#include "probes/limits.h"

static const struct finding_option options[] = {
	THRESHOLD("percent", 80, 1, 100, "minimum use of the limit of CPU time, in percent",
		.unit = SOOTH_UNIT_PERCENT),
};

struct cpu_limit {
	const struct limits_resource *r;
	uint64_t s; /* the limit in force */
	bool is_hard;
};

static const struct limits_resource *cpu_resource(const struct snapshot *s)
{
	struct batch all = s ? snapshot_records(s) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct limits_resource *l = record_as(r, LIMITS_RESOURCE, sizeof(*l));

		if (l && record_has_text(r, &l->name) &&
			span_equal(record_text(r, &l->name), "CPU"))
			return l;
	}
	return NULL;
}

static void report(const struct check *e, struct check_result *out, const struct cpu_limit *limit,
	double percent)
{
	uint64_t used = limit->r->used;
	bool may_go_on = !limit->is_hard && limit->s <= used + 1;
	char text[2][UNITS_SIZE];

	finding_begin(out, may_go_on ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH, "");
	if (limit->is_hard)
		finding_severity(out, FINDING_CRITICAL);
	finding_claim(out,
		"almost out of CPU time: %s of %s used; at the limit the kernel ends the process "
		"(%s)",
		sentence_duration(text[0], used * NS_PER_S),
		sentence_duration(text[1], limit->s * NS_PER_S),
		limit->is_hard ? "SIGKILL" : "SIGXCPU");
	finding_number(out, "CPU time", (double)used, SOOTH_UNIT_S, 0);
	finding_number(out, limit->is_hard ? "hard limit" : "soft limit", (double)limit->s,
		SOOTH_UNIT_S, 0);
	finding_number(out, "used", percent, SOOTH_UNIT_PERCENT, 0);
	if (may_go_on)
		finding_unseen(out, "whether the process handles SIGXCPU, and goes on");
	if (!limit->is_hard && limit->r->hard_state == SOOTH_STATE_ABSENT)
		finding_remedy(
			out, "remove the limit now: prlimit --pid %u --cpu=unlimited", e->id.pid);
	else
		finding_remedy(out,
			"as root: prlimit --pid %u --cpu=unlimited (else restart it where ulimit "
			"-t is higher)",
			e->id.pid);
	finding_end(out);
}

/* Returns whether the process handles SIGXCPU: the kernel raised its soft limit meanwhile, or has
 * to do so. */
static bool handles_signal(const struct check *e, const struct limits_resource *last)
{
	const struct limits_resource *first = cpu_resource(check_first(e, &e->input->limits));

	return last->used >= last->soft ||
	       (first && first->soft_state == SOOTH_STATE_VALUE && first->soft < last->soft);
}

static void compare(const struct check *e, struct check_result *out, struct cpu_limit limit)
{
	char text[2][UNITS_SIZE];
	double percent;

	limit.is_hard = handles_signal(e, limit.r);
	limit.s = limit.is_hard ? limit.r->hard : limit.r->soft;
	if (limit.is_hard && limit.r->hard_state == SOOTH_STATE_ABSENT) {
		check_fine(out, "has passed its limit of CPU time, and handles SIGXCPU");
		return;
	}
	percent = limit.s ? 100.0 * (double)limit.r->used / (double)limit.s : 100;
	if (check_is_over(e, "percent", percent, ""))
		report(e, out, &limit, percent);
	else
		check_fine(out, "has used %s of its %s of CPU time",
			sentence_duration(text[0], limit.r->used * NS_PER_S),
			sentence_duration(text[1], limit.s * NS_PER_S));
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->limits);
	const struct limits_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	struct cpu_limit limit = { .r = cpu_resource(last) };

	if (!limit.r)
		check_blind(out, end && end->resources_state
					 ? end->resources_state
					 : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
	else if (limit.r->soft_state == SOOTH_STATE_ABSENT)
		check_fine(out, "CPU time has no limit");
	else if (limit.r->soft_state || limit.r->used_state)
		check_blind(out, limit.r->soft_state ? limit.r->soft_state : limit.r->used_state);
	else
		compare(e, out, limit);
}

const struct finding_type finding_cpu_limit_near = {
	.id = "cpu-limit-near",
	.worst = FINDING_CRITICAL,
	.claim = "most of the CPU time that the process may use is used",
	.probes = "limits",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch-limit-near: a user has nearly used up the inotify watches or instances the kernel
 * allows. All processes of the user count together, and the kernel does not report the sum: it
 * is added up over the sampled processes, so it is a lower bound, and the finding says how
 * many were not sampled. Of several processes, the one with most gets the finding.
 *
 * Cannot be seen: which user an instance counts for if the process changed its user since;
 * whether two descriptors are one instance (dup, fork): they count as two.
 */
#include <stdio.h>

#include "analyze/diagnosis/check.h"
#include "analyze/fds/fd_sums.h"
#include "explain/finding.h"
#include "probes/fds.h"

static const struct finding_option options[] = {
	THRESHOLD("percent", 80, 0.01, 100, "minimum use of the user's inotify limit, in percent",
		.unit = SOOTH_UNIT_PERCENT),
};

/* Each has a limit of its own. */
enum kind { WATCHES, INSTANCES, KINDS };

struct use {
	uint64_t own[KINDS], sum[KINDS];
	uint64_t limit[KINDS];
	bool is_most[KINDS];	/* no process of the user has more; lowest pid on a tie */
	unsigned read, there;	/* processes of the user: sampled, existing */
	unsigned other_readers; /* other processes with an instance */
};

static const struct {
	const char *name, *sum, *sysctl, *what;
} texts[KINDS] = {
	[WATCHES] = { "watches", "watches of the user", "max_user_watches", "" },
	[INSTANCES] = { "instances", "instances of the user", "max_user_instances", "instances" },
};

/* False where its watches count against another limit, or it is unknown which. */
static bool counts_of(const struct snapshot *snapshot, uint64_t counts[KINDS])
{
	struct fd_sums sums;

	fd_sums_of(&sums, snapshot);
	if (!sums.process || sums.process->descriptors_state > SOOTH_STATE_TRUNCATED ||
		sums.process->inotify_state != SOOTH_STATE_VALUE)
		return false;
	counts[WATCHES] = sums.process->watches;
	counts[INSTANCES] = sums.instances;
	return true;
}

/* --- all processes of a user --- */

static void add_other(struct use *u, const struct process_id *own, const struct process_id *id,
	const uint64_t counts[KINDS])
{
	u->other_readers += counts[INSTANCES] != 0;
	for (int k = 0; k < KINDS; k++) {
		u->sum[k] += counts[k];
		if (counts[k] > u->own[k] || (counts[k] == u->own[k] && id->pid < own->pid))
			u->is_most[k] = false;
	}
}

static void add_user(const struct check *e, struct use *u)
{
	const struct process_table *c = &e->input->host.process_table;
	uint32_t uid = e->process->process->uid;
	struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(c, &position))) {
		const struct snapshot *snapshot = NULL;
		uint64_t counts[KINDS];

		if (p->process->uid != uid)
			continue;
		u->there++;
		if (p != e->process)
			snapshot = snapshots_get(&e->input->fds.last, &p->id);
		else
			u->read++;
		if (!snapshot || !counts_of(snapshot, counts))
			continue;
		u->read++;
		add_other(u, &e->id, &p->id, counts);
	}
}

static void measure(const struct check *e, struct use *u, const struct fds_process *end)
{
	u->limit[WATCHES] = end->watches_max;
	u->limit[INSTANCES] = end->instances_max;
	for (int k = 0; k < KINDS; k++) {
		u->sum[k] = u->own[k];
		u->is_most[k] = true;
	}
	if (e->process)
		add_user(e, u);
}

/* --- the finding --- */

static double percent_of(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

static void emit_unseen(struct check_result *out, const struct use *u, int k)
{
	if (u->there > u->read)
		finding_unseen(out,
			"what %u of the user's %u processes watch: only agents and named processes "
			"are sampled",
			u->there - u->read, u->there);
	if (u->sum[k] > u->limit[k])
		finding_unseen(out, "how many instances the user really has: the sum is above the "
				    "limit, so some descriptors refer to the same instance");
}

static void report(const struct check *e, struct check_result *out, const struct use *u, int k)
{
	double percent = percent_of(u->sum[k], u->limit[k]);
	bool is_alone = u->own[k] == u->sum[k];

	finding_begin(
		out, is_alone ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, texts[k].what);
	if (is_alone)
		finding_claim(out,
			"almost out of inotify %s: %llu of %llu that the user may have are in use; "
			"at the limit file changes go unnoticed",
			texts[k].name, (unsigned long long)u->own[k],
			(unsigned long long)u->limit[k]);
	else
		finding_claim(out,
			"almost out of inotify %s: %llu of %llu that the user may have are in use, "
			"%llu by this process; at the limit file changes go unnoticed",
			texts[k].name, (unsigned long long)u->sum[k],
			(unsigned long long)u->limit[k], (unsigned long long)u->own[k]);
	finding_number(out, texts[k].name, (double)u->own[k], SOOTH_UNIT_NONE, 0);
	finding_number(out, texts[k].sum, (double)u->sum[k], SOOTH_UNIT_NONE, 0);
	finding_number(out, "limit", (double)u->limit[k], SOOTH_UNIT_NONE, 0);
	finding_number(out, "used", percent, SOOTH_UNIT_PERCENT, 0);
	finding_number(out, "number of the user's processes that were sampled", u->read,
		SOOTH_UNIT_NONE, 0);
	emit_unseen(out, u, k);
	finding_remedy(out,
		"as root: sysctl fs.inotify.%s=%llu raises the limit; sooth diagnose -d %u shows "
		"what is watched",
		texts[k].sysctl, (unsigned long long)u->limit[k] * 4, e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct fds_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	struct use u = { 0 };

	if (!end || end->descriptors_state > SOOTH_STATE_TRUNCATED) {
		check_blind(
			out, end ? end->descriptors_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	if (!counts_of(last, u.own)) {
		check_blind_by(out, FINDING_REFUSED,
			"the limits of the process are in another user namespace, or not readable",
			"run in that namespace: cat /proc/sys/user/max_inotify_watches");
		return;
	}
	measure(e, &u, end);
	for (int k = 0; k < KINDS; k++) {
		double percent = percent_of(u.sum[k], u.limit[k]);

		if (u.own[k] && u.is_most[k] && check_is_over(e, "percent", percent, texts[k].what))
			report(e, out, &u, k);
	}
	if (!out->found)
		check_fine(out,
			"%llu of %llu watches, %llu of %llu instances; %u of the user's %u "
			"processes sampled",
			(unsigned long long)u.sum[WATCHES], (unsigned long long)u.limit[WATCHES],
			(unsigned long long)u.sum[INSTANCES],
			(unsigned long long)u.limit[INSTANCES], u.read, u.there);
}

const struct finding_type finding_watch_limit_near = {
	.id = "watch-limit-near",
	.claim = "most of the user's inotify watches are in use",
	.probes = "proc,fds",
	.follows = "watch-flood",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

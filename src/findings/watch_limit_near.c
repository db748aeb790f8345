/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch-limit-near: the watches or instances of inotify that a user may have are nearly used
 * up. All processes of the user count together, and the kernel does not tell the sum: it is
 * made of the processes that were read, so it is a lower bound, and how many were not read is
 * said. Of several it is told of the one that has most.
 *
 * Cannot be seen: in whose name an instance was opened, where the process has changed its user
 * since; whether two descriptors are one instance (dup, fork): they count as two.
 */
#include <stdio.h>

#include "analyze/diagnosis/check.h"
#include "analyze/fds/fd_sums.h"
#include "core/finding.h"
#include "probes/fds.h"

static const struct finding_option options[] = {
	{ .name = "percent",
		.help = "used share of what the user may have",
		.unit = SOOTH_UNIT_PERCENT,
		.otherwise = 80,
		.min = 0.01,
		.max = 100 },
};

/* What counts against a limit of its own. */
enum kind { WATCHES, INSTANCES, KINDS };

struct use {
	uint64_t own[KINDS], sum[KINDS];
	uint64_t limit[KINDS];
	bool is_most[KINDS];	/* nobody of that user has more; of equals the lowest pid */
	unsigned read, there;	/* processes of the user */
	unsigned other_readers; /* of those with any, beside this one */
};

static const struct {
	const char *name, *more, *sum, *sysctl, *what;
} words[KINDS] = {
	[WATCHES] = { "watches", "watch", "watches of the user", "max_user_watches", "" },
	[INSTANCES] = { "instances", "inotify instance", "instances of the user",
		"max_user_instances", "instances" },
};

/* False where what it has does not count against the limit that is known, or is not known. */
static bool counts_of(const struct snapshot *reading, uint64_t counts[KINDS])
{
	struct fd_sums sums;

	fd_sums_of(&sums, reading);
	if (!sums.process || sums.process->descriptors_state > SOOTH_STATE_TRUNCATED ||
		sums.process->inotify_state != SOOTH_STATE_VALUE)
		return false;
	counts[WATCHES] = sums.process->watches;
	counts[INSTANCES] = sums.instances;
	return true;
}

/* --- all of a user --- */

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

static void add_user(struct check *e, struct use *u)
{
	const struct process_table *c = &e->input->host.process_table;
	uint32_t uid = e->process->process->uid;
	struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(c, &position))) {
		const struct snapshot *reading = NULL;
		uint64_t counts[KINDS];

		if (p->process->uid != uid)
			continue;
		u->there++;
		if (p != e->process)
			reading = snapshots_get(&e->input->fds.last, &p->id);
		else
			u->read++;
		if (!reading || !counts_of(reading, counts))
			continue;
		u->read++;
		add_other(u, &e->id, &p->id, counts);
	}
}

static void measure(struct check *e, struct use *u, const struct fds_process *end)
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

/* --- saying --- */

static double percent_of(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

static void emit_unseen(struct check *e, const struct use *u, int k)
{
	if (u->there > u->read)
		finding_unseen(e,
			"what %u of the %u processes of this user have: only those of agents, or "
			"that were named, were read",
			u->there - u->read, u->there);
	if (u->sum[k] > u->limit[k])
		finding_unseen(e, "how much is counted twice: the sum is over the limit, so some "
				  "descriptors are the same instance");
}

static void tell(struct check *e, const struct use *u, int k)
{
	double percent = percent_of(u->sum[k], u->limit[k]);
	bool is_alone = u->own[k] == u->sum[k];

	finding_begin(
		e, is_alone ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, words[k].what);
	if (is_alone)
		finding_claim(e,
			"has %llu of the %llu %s that its user may have; then changes of files go "
			"unseen",
			(unsigned long long)u->own[k], (unsigned long long)u->limit[k],
			words[k].name);
	else
		finding_claim(e,
			"has %llu of the %llu %s that its user may have, with other processes "
			"%llu; then changes of files go unseen",
			(unsigned long long)u->own[k], (unsigned long long)u->limit[k],
			words[k].name, (unsigned long long)u->sum[k]);
	finding_number(e, words[k].name, (double)u->own[k], SOOTH_UNIT_NONE, 0);
	finding_number(e, words[k].sum, (double)u->sum[k], SOOTH_UNIT_NONE, 0);
	finding_number(e, "limit", (double)u->limit[k], SOOTH_UNIT_NONE, 0);
	finding_number(e, "used", percent, SOOTH_UNIT_PERCENT, 0);
	finding_number(e, "processes of the user read", u->read, SOOTH_UNIT_NONE, 0);
	emit_unseen(e, u, k);
	finding_remedy(e,
		"as root: sysctl fs.inotify.%s=%llu; or end what need not watch, which is told "
		"by sooth diagnose -d %llu",
		words[k].sysctl, (unsigned long long)u->limit[k] * 4,
		(unsigned long long)e->id.pid);
	finding_end(e);
}

static void judge(struct check *e)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct fds_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	struct use u = { 0 };

	if (!end || end->descriptors_state > SOOTH_STATE_TRUNCATED) {
		check_blind(
			e, end ? end->descriptors_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	if (!counts_of(last, u.own)) {
		check_blind_because(e,
			"it is in a user namespace with limits of its own, or they may not be read",
			"there: cat /proc/sys/user/max_inotify_watches");
		return;
	}
	measure(e, &u, end);
	for (int k = 0; k < KINDS; k++) {
		double percent = percent_of(u.sum[k], u.limit[k]);

		if (u.own[k] && u.is_most[k] && check_is_over(e, "percent", percent, words[k].what))
			tell(e, &u, k);
	}
	if (!e->found)
		check_fine(e,
			"%llu of %llu watches, %llu of %llu instances; %u of %u processes "
			"of the user were read",
			(unsigned long long)u.sum[WATCHES], (unsigned long long)u.limit[WATCHES],
			(unsigned long long)u.sum[INSTANCES],
			(unsigned long long)u.limit[INSTANCES], u.read, u.there);
}

const struct finding_type finding_watch_limit_near = {
	.id = "watch-limit-near",
	.claim = "most of the watches that the user may have are in use",
	.probes = "proc,fds",
	FINDING_OPTIONS(options),
	.judge = judge,
};

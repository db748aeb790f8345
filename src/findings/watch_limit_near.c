/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch-limit-near: a user has nearly used up the inotify watches or instances the kernel
 * allows. All processes of the user count together, and the kernel does not report the sum: it
 * is added up over the sampled processes, so it is a lower bound, and the finding says how
 * many were not sampled. The process with most watches or instances gets the finding.
 *
 * Cannot be seen: which user an instance counts for if the process changed its user since;
 * whether two descriptors are one instance (dup, fork): they count as two.
 */
#include <stdio.h>

#include "analyze/diagnosis/check.h"
#include "analyze/evidence/watch_use.h"
#include "explain/finding.h"
#include "probes/fds.h"

static const struct finding_option options[] = {
	THRESHOLD("percent", 80, 0.01, 100, "minimum use of the user's inotify limit, in percent",
		.unit = SOOTH_UNIT_PERCENT),
};

static const struct {
	const char *name, *sum, *sysctl, *what;
} texts[WATCH_KINDS] = {
	[WATCH_WATCHES] = { "watches", "watches of the user", "max_user_watches", "" },
	[WATCH_INSTANCES] = { "instances", "instances of the user", "max_user_instances",
		"instances" },
};

/* --- the finding --- */

static double percent_of(uint64_t part, uint64_t of)
{
	return of ? 100.0 * (double)part / (double)of : 0;
}

static void emit_unseen(struct check_result *out, const struct watch_use *u, int k)
{
	if (u->there > u->read)
		finding_unseen(out,
			"the watches of %u of the user's %u processes: only agents, or the "
			"selected processes, are sampled",
			u->there - u->read, u->there);
	if (u->sum[k] > u->limit[k])
		finding_unseen(out, "how many instances the user really has: the sum is above the "
				    "limit, so some descriptors refer to the same instance");
}

static void report(
	const struct check *e, struct check_result *out, const struct watch_use *u, int k)
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
	struct watch_use u;

	if (!end || end->descriptors_state > SOOTH_STATE_TRUNCATED) {
		check_blind(
			out, end ? end->descriptors_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	if (!watch_use_of(&u, e)) {
		check_blind_by(out, FINDING_REFUSED,
			"the limits of the process are in another user namespace, or not readable",
			"run in that namespace: cat /proc/sys/user/max_inotify_watches");
		return;
	}
	for (int k = 0; k < WATCH_KINDS; k++) {
		double percent = percent_of(u.sum[k], u.limit[k]);

		if (u.own[k] && u.most[k].pid == e->id.pid &&
			check_is_over(e, "percent", percent, texts[k].what))
			report(e, out, &u, k);
	}
	if (!out->found)
		check_fine(out,
			"%llu of %llu watches, %llu of %llu instances; %u of the user's %u "
			"processes sampled",
			(unsigned long long)u.sum[WATCH_WATCHES],
			(unsigned long long)u.limit[WATCH_WATCHES],
			(unsigned long long)u.sum[WATCH_INSTANCES],
			(unsigned long long)u.limit[WATCH_INSTANCES], u.read, u.there);
}

const struct finding_type finding_watch_limit_near = {
	.id = "watch-limit-near",
	.claim = "most of the user's inotify watches are in use",
	.probes = "proc,fds",
	.follows = "watch-flood",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

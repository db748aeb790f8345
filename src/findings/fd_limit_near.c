/* SPDX-License-Identifier: BSD-2-Clause */
/* fd-limit-near: the process has used most of the descriptors it is allowed. A process with more
 * descriptors than its limit has lowered the limit itself, as sandboxes do: opening files cannot
 * exceed the limit. */
#include "analyze/diagnosis/check.h"
#include "analyze/evidence/fd_most.h"
#include "explain/finding.h"
#include "probes/fds.h"

NUMBER(CRITICAL_PERCENT, 97, PERCENT, "of the limit, from which the severity is critical");

static const struct finding_option options[] = {
	THRESHOLD("percent", 80, 1, 100, "minimum use of the soft limit of open files, in percent",
		.unit = SOOTH_UNIT_PERCENT),
};

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->fds);
	const struct fds_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	struct buffer most = { 0 };
	double percent;
	bool has_most, is_full;

	if (!end || end->limit_state || end->descriptors_state > SOOTH_STATE_TRUNCATED) {
		check_blind(
			out, end ? (end->limit_state ? end->limit_state : end->descriptors_state)
				 : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	if (end->soft_limit == UINT64_MAX) {
		check_fine(out, "%u descriptors are open, and there is no limit", end->descriptors);
		return;
	}
	if (end->descriptors > end->soft_limit) {
		check_fine(out, "%u descriptors are open; the limit of %llu was set later",
			end->descriptors, (unsigned long long)end->soft_limit);
		return;
	}
	percent = end->soft_limit ? 100.0 * end->descriptors / (double)end->soft_limit : 0;
	if (!check_is_over(e, "percent", percent, "")) {
		check_fine(out, "%u of %llu allowed descriptors are open", end->descriptors,
			(unsigned long long)end->soft_limit);
		return;
	}
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	if (percent >= CRITICAL_PERCENT)
		finding_severity(out, FINDING_CRITICAL);
	has_most = fd_most_put(&most, e);
	is_full = end->descriptors == end->soft_limit;
	finding_claim(out,
		"%s of descriptors: %u of %llu in use%s%s; %severy open, connect and spawn fails",
		is_full ? "out" : "almost out", end->descriptors,
		(unsigned long long)end->soft_limit, has_most ? ", " : "", buffer_cstr(&most),
		is_full ? "" : "at the limit ");
	buffer_fini(&most);
	finding_number(out, "descriptors", end->descriptors, SOOTH_UNIT_NONE, 0);
	finding_number(out, "soft limit", (double)end->soft_limit, SOOTH_UNIT_NONE, 0);
	finding_number(out, "used", percent, SOOTH_UNIT_PERCENT, 0);
	if (end->hard_limit > end->soft_limit)
		finding_remedy(out,
			"raise the limit now: prlimit --pid %u --nofile=%llu:%llu (what is open: "
			"sooth inspect --fds %u)",
			e->id.pid, (unsigned long long)end->hard_limit,
			(unsigned long long)end->hard_limit, e->id.pid);
	else
		finding_remedy(out,
			"set a higher limit in the shell (ulimit -n 65536), then restart "
			"the process there");
	finding_end(out);
}

const struct finding_type finding_fd_limit_near = {
	.id = "fd-limit-near",
	.worst = FINDING_CRITICAL,
	.claim = "most of the descriptors that the process may open are in use",
	.probes = "proc,fds",
	.follows = "fd-leak,close-wait-leak",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};

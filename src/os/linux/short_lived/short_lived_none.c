/* SPDX-License-Identifier: BSD-2-Clause */
/* short_lived where sooth cannot attach: it reports that, so that a run with other probes still
 * gets their samples. */
#include "base/cleanup.h"
#include "collect/backend.h"
#include "os/linux/rights/needs.h"

static int short_lived_start(struct backend_run *run, struct sooth_error *err)
{
	static const struct need *const needs[] = { &need_bpf, &need_procfs, &need_time_namespace };
	struct sooth_error refusal;
	const char *reason = "exit events are not available here";
	const char *remedy = "`sooth doctor` says what is missing";

	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!needs[i]->test(run->os, &refusal))
			continue;
		reason = i ? refusal.why : "exit events need cap_bpf and cap_perfmon";
		remedy = refusal.remedy;
		break;
	}
	backend_limit(run, "processes that begin and end between two samples", reason, remedy);
	return 0;
}

const struct backend backend_short_lived_none = {
	.name = "none",
	.probe = "short_lived",
	.help = "no exit events: short-lived processes are missed",
	.start = short_lived_start,
};

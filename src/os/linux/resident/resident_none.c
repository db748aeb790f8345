/* SPDX-License-Identifier: BSD-2-Clause */
/* resident where sooth cannot attach: it reports that, so that a run with other probes goes on. */
#include "base/cleanup.h"
#include "collect/backend.h"
#include "os/linux/rights/needs.h"

static int resident_start(struct backend_run *run, struct sooth_error *err)
{
	static const struct need *const needs[] = { &need_bpf, &need_btf, &need_bpf_ring,
		&need_procfs, &need_time_namespace };
	const char *reason = "the kernel's tracepoint of resident memory is not available here";
	struct sooth_error refusal = { .remedy = "`sooth doctor` says what is missing" };

	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!needs[i]->test(run->os, &refusal))
			continue;
		reason = refusal.why;
		break;
	}
	backend_limit(run, "resident memory at each change", reason, refusal.remedy);
	return 0;
}

const struct backend backend_resident_none = {
	.name = "none",
	.probe = "resident",
	.help = "no changes of resident memory: peaks between samples are missed",
	.start = resident_start,
};

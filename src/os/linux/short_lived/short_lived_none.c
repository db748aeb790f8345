/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * short_lived where nothing can be attached: it reports that, so that a run that wants it besides
 * samples still gets the samples.
 */
#include "collect/backend.h"

static int short_lived_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "processes that begin and end between two samples",
		"exit events need cap_bpf and cap_perfmon",
		"run sooth as root, or give it the capabilities once: sudo setcap "
		"cap_bpf,cap_perfmon+ep \"$(command -v sooth)\"");
	return 0;
}

const struct backend backend_short_lived_none = {
	.name = "none",
	.probe = "short_lived",
	.help = "no exit events: short-lived processes are missed",
	.start = short_lived_start,
};

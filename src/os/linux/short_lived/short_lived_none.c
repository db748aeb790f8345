/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exits where nothing can be attached: nobody sees them, and that is said. Who wants them beside
 * samples has the samples all the same.
 */
#include "core/backend.h"

static int short_lived_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "processes that begin and end between two samples",
		"events of the kernel are not to be had by this caller",
		"run as root, or once: setcap cap_bpf,cap_perfmon+ep on sooth");
	return 0;
}

const struct backend backend_short_lived_none = {
	.name = "nobody",
	.probe = "exits",
	.help = "sees none; says so, so that samples can be had without privilege",
	.start = short_lived_start,
};

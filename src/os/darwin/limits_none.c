/* SPDX-License-Identifier: BSD-2-Clause */
/* limits: nothing is measured, and that is reported. */
#include "collect/backend.h"

static int limits_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "resource limits of processes", "not available on this system", "");
	return 0;
}

const struct backend backend_limits_none = {
	.name = "none",
	.probe = "limits",
	.help = "measures nothing, so that commands which ask for more run",
	.start = limits_start,
};

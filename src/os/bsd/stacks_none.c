/* SPDX-License-Identifier: BSD-2-Clause */
/* stacks: nothing is measured, and that is reported. */
#include "collect/backend.h"

static int stacks_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "stacks of threads", "not available on this system", "");
	return 0;
}

const struct backend backend_stacks_none = {
	.name = "none",
	.probe = "stacks",
	.help = "measures nothing, so that commands which ask for more run",
	.start = stacks_start,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* waits: nothing is measured, and that is reported. */
#include "collect/backend.h"

static int waits_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "what threads wait for", "not available on this system", "");
	return 0;
}

const struct backend backend_waits_none = {
	.name = "none",
	.probe = "waits",
	.help = "measures nothing, so that commands which ask for more run",
	.start = waits_start,
};

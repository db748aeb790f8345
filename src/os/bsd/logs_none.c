/* SPDX-License-Identifier: BSD-2-Clause */
/* logs: nothing is measured, and that is reported. */
#include "collect/backend.h"

static int logs_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "errors in log files", "not available on this system", "");
	return 0;
}

const struct backend backend_logs_none = {
	.name = "none",
	.probe = "logs",
	.help = "measures nothing, so that commands which ask for more run",
	.start = logs_start,
};

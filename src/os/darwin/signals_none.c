/* SPDX-License-Identifier: BSD-2-Clause */
/* signals: nothing is measured, and that is reported. */
#include "collect/backend.h"

static int signals_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "signals of processes", "not available on this system", "");
	return 0;
}

const struct backend backend_signals_none = {
	.name = "none",
	.probe = "signals",
	.help = "measures nothing, so that commands which ask for more run",
	.start = signals_start,
};

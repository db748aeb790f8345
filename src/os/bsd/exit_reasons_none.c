/* SPDX-License-Identifier: BSD-2-Clause */
/* exit_reasons: nothing is measured, and that is reported. */
#include "collect/backend.h"

static int exit_reasons_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "how processes end", "not available on this system", "");
	return 0;
}

const struct backend backend_exit_reasons_none = {
	.name = "none",
	.probe = "exit_reasons",
	.help = "measures nothing, so that commands which ask for more run",
	.start = exit_reasons_start,
};

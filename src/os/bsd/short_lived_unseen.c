/* SPDX-License-Identifier: BSD-2-Clause */
/* short_lived: nothing is measured, and that is reported. */
#include "collect/backend.h"

static int short_lived_start(struct backend_run *run, struct sooth_error *err)
{
	(void)err;
	backend_limit(run, "short-lived processes", "not available on this system", "");
	return 0;
}

const struct backend backend_short_lived_unseen = {
	.name = "none",
	.probe = "short_lived",
	.help = "measures nothing, so that commands which ask for more run",
	.start = short_lived_start,
};

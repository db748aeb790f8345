/* SPDX-License-Identifier: BSD-2-Clause */
/* --dry-run: what a command would attach, and its price. */
#pragma once

#include "cli/run.h"

/* Reports instead of observing. The observer has its target and probes, and was not started.
 * Returns 0, or a negative errno with err filled. */
int dry_run_report(
	const struct output_options *output, struct sooth_observer *o, struct sooth_error *err);

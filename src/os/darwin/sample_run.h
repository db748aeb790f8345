/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs sample(1) on a process: one sample of each thread, for which the process is stopped for a
 * moment. */
#pragma once

#include "os/bsd/source.h"
#include "os/bsd/tool.h"

/* Returns 0 when sample(1) has ended, with its report in `t`; else why there is no report. */
int sample_run(struct tool *t, const struct bsd_source *s, uint32_t pid, struct sooth_error *err);
/* Finds wait functions, as the member wait_functions of struct bsd_source. */
int darwin_wait_functions(
	const struct bsd_source *s, pid_t pid, struct buffer *threads, struct sooth_error *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs sample(1) on a process: one sample of each thread, for which the process is stopped for a
 * moment. */
#ifndef SOOTH_OS_DARWIN_SAMPLE_RUN_H
#define SOOTH_OS_DARWIN_SAMPLE_RUN_H

#include "os/bsd/source.h"
#include "os/bsd/tool.h"

/* 0: it has ended, and its report is in the tool; else why there is none. */
int sample_run(struct tool *t, const struct bsd_source *s, uint32_t pid, struct sooth_error *err);
/* As struct bsd_source has it. */
int darwin_wait_functions(
	const struct bsd_source *s, pid_t pid, struct buffer *threads, struct sooth_error *err);

#endif

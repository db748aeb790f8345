/* SPDX-License-Identifier: BSD-2-Clause */
/* Selected processes that have exited: what the kernel log knows of them. */
#ifndef SOOTH_CLI_DIAGNOSING_GONE_H
#define SOOTH_CLI_DIAGNOSING_GONE_H

#include "analyze/diagnosis/check_settings.h"
#include "cli/run.h"

/* Adds the PIDs that do not exist (uint32_t); true: none exists. */
bool gone_find(const struct target_found *found, struct buffer *gone);
/* -ESRCH: nothing is known about it. */
int gone_check(uint32_t pid, const struct check_settings *settings, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that were named and are gone: what the kernel's log still knows of them. */
#ifndef SOOTH_CLI_DIAGNOSING_GONE_H
#define SOOTH_CLI_DIAGNOSING_GONE_H

#include "analyze/diagnosis/check_settings.h"
#include "cli/run.h"

/* Adds those of the run that are not there (uint32_t); true: nobody who is named is there. */
bool gone_find(const struct run *run, struct buffer *gone);
/* -ESRCH: nothing is known of it. */
int gone_check(uint32_t pid, const struct check_settings *settings, struct sooth_error *err);

#endif

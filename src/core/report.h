/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as the observer feeds it. */
#ifndef SOOTH_CORE_REPORT_H
#define SOOTH_CORE_REPORT_H

#include <sooth/report.h>
#include "capture/block.h"

/* A block_handler; user is the struct sooth_report. */
int report_block(void *user, const struct block *block, struct sooth_error *err);
/* Every block that one report takes goes to another as well, which is finished after it. */
void report_pass_on(struct sooth_report *r, struct sooth_report *to);

#endif

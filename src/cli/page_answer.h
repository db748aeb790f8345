/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer of sooth heap by page: of any memory, whatever took it from the kernel. */
#ifndef SOOTH_CLI_PAGE_ANSWER_H
#define SOOTH_CLI_PAGE_ANSWER_H

#include "cli/run.h"

/* Instead of the calls of malloc. */
void page_answer_alone(struct run *run, bool is_exact);
/*
 * Most of the memory of an agent, and of a program with a heap of its runtime's, is in no call of
 * malloc: the answer by page comes first, and the calls below it; of an agent, which makes a
 * million of them a second, their counts. A capture shows what it has of these. Resolves the target
 * into `found`, which outlives the run.
 */
int page_answer_first(struct run *run, struct target_found *found, struct sooth_error *err);

#endif

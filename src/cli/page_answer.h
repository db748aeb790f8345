/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer of `sooth heap` by page: about all memory, whichever allocator got it from the kernel.
 */
#ifndef SOOTH_CLI_PAGE_ANSWER_H
#define SOOTH_CLI_PAGE_ANSWER_H

#include "cli/run.h"

/* Sets up a run with the answer by page instead of calls of malloc. */
void page_answer_alone(struct run *run, bool is_exact);
/*
 * Most memory of an agent, or of a program with a runtime's own heap, does not come from malloc:
 * the answer by page comes first, calls of malloc follow (for an agent, with a million calls a
 * second, only counts). A capture shows what it has of these. Resolves the target into `found`,
 * which must outlive the run.
 */
int page_answer_first(struct run *run, struct target_found *found, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer of `sooth heap` by page: it covers all memory, whichever allocator got it from the
 * kernel. */
#ifndef SOOTH_CLI_PAGE_ANSWER_H
#define SOOTH_CLI_PAGE_ANSWER_H

#include "cli/run.h"

/* Sets up a run with the answer by page, and without calls of malloc. */
void page_answer_alone(struct run *run, bool is_exact);
/* Sets up a run with both answers. Most memory of an agent, or of a program with a runtime's own
 * heap, does not come from malloc, so the answer by page comes first. Calls of malloc follow (for
 * an agent, which makes a million a second, only counts). A capture shows the answers that it
 * contains. Resolves the target into `found`, which must outlive the run. */
int page_answer_first(struct run *run, struct target_found *found, struct sooth_error *err);

#endif

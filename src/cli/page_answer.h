/* SPDX-License-Identifier: BSD-2-Clause */
/* The answer of `sooth heap` by page: it covers all memory, whichever allocator got it from the
 * kernel. */
#pragma once

#include "analyze/profile/profile_table.h"
#include "cli/run.h"

/* Sets up a run with the answer by page, and without calls of malloc. */
void page_answer_alone(struct run *run, bool is_exact);
/* Sets up a run that says what any memory is kept by: allocations are added up by stack in the
 * kernel (for an agent, which makes a million a second, only counted), and pages beside them. A
 * capture shows what it contains. Resolves the target into `found`, which must outlive the run. */
int page_answer_beside(struct run *run, struct target_found *found,
	const struct profile_options *pages, struct sooth_error *err);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that do one task and end: compilers, linkers, compressors, git commands. Their use of
 * resources says nothing about a defect, because it follows the task. By the name of the process,
 * as the kernel has it (15 characters).
 */
#ifndef SOOTH_ANALYZE_BATCH_PROGRAM_H
#define SOOTH_ANALYZE_BATCH_PROGRAM_H

#include <stdbool.h>

#include "base/cursor.h"

/* Uses a CPU for as long as its task takes. */
bool batch_program_computes(struct span name);
/* A benchmark: it asks a server as often as it can. */
bool batch_program_measures(struct span name);
/* Its memory grows with its task; also "clang-14". */
bool batch_program_grows(struct span name);

#endif

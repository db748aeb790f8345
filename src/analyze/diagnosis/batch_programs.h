/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that do one task and end: compilers, linkers, compressors, git commands. Their memory and CPU use says
 * nothing about a defect, because it grows with the task.
 */
#ifndef SOOTH_ANALYZE_BATCH_PROGRAMS_H
#define SOOTH_ANALYZE_BATCH_PROGRAMS_H

#include <stdbool.h>

#include "base/cursor.h"

/* By the name of the process, as the kernel has it (15 characters). */
bool is_batch_program(struct span name);

#endif

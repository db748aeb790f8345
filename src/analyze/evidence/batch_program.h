/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that do one task and end: compilers, linkers, compressors, git commands. Their use of
 * resources says nothing about a defect, because it follows the task. Known by the kernel's name of
 * the process (15 characters).
 */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

/* Returns whether a program of that name uses a CPU for as long as its task takes. */
bool batch_program_computes(struct span name);
/* Returns whether a program of that name is a benchmark: it sends requests to a server as fast as
 * it can. */
bool batch_program_measures(struct span name);
/* Returns whether the memory of a program of that name grows with its task; also of "clang-14". */
bool batch_program_grows(struct span name);

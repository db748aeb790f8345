/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether calls of malloc are the smaller part of the memory of what was selected. */
#ifndef SOOTH_CLI_TARGET_MEMORY_H
#define SOOTH_CLI_TARGET_MEMORY_H

#include "cli/target/target_found.h"

/* One of the processes is an agent, or has a heap that its runtime takes from the kernel: a
 * JavaScript, Java or Go heap, small objects of Python. What cannot be read counts as no. */
bool target_has_own_heap(const struct target_found *found);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether calls of malloc are the smaller part of the memory of what was selected. */
#ifndef SOOTH_CLI_SELECTED_TARGET_MEMORY_H
#define SOOTH_CLI_SELECTED_TARGET_MEMORY_H

#include "cli/selected/target_found.h"

enum target_memory {
	TARGET_MEMORY_OF_MALLOC, /* or what it is cannot be read */
	/* One has a heap that its runtime takes from the kernel: a JavaScript, Java or Go heap,
	 * small objects of Python. */
	TARGET_MEMORY_OF_RUNTIME,
	TARGET_MEMORY_OF_AGENT, /* one is an agent */
};

enum target_memory target_memory_of(const struct target_found *found);

#endif

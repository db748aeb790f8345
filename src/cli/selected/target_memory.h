/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds whether most memory of the selected processes does not come from malloc. */
#ifndef SOOTH_CLI_SELECTED_TARGET_MEMORY_H
#define SOOTH_CLI_SELECTED_TARGET_MEMORY_H

#include "cli/selected/target_found.h"

enum target_memory {
	TARGET_MEMORY_OF_MALLOC, /* memory of malloc, or the memory cannot be read */
	/* A process has a runtime's own heap: a JavaScript, Java or Go heap, or small objects of
	 * Python. */
	TARGET_MEMORY_OF_RUNTIME,
	TARGET_MEMORY_OF_AGENT, /* at least one of the processes is an agent */
};

enum target_memory target_memory_of(const struct target_found *found);

#endif

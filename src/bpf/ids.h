/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by programs that read the ids of tasks, and their loader. */
#pragma once

#include <sooth/record.h>

/* Set at load: the kernel then removes the branches that cannot be taken. */
struct ids_config {
	uint64_t pid_namespace; /* inode of sooth's PID namespace; 0: the initial one */
};

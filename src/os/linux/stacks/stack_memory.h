/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of another process, kept by pages while one stack is walked, so that its words are of
 * nearly one moment. A page may never come: reading has a timeout.
 */
#ifndef SOOTH_OS_LINUX_STACK_MEMORY_H
#define SOOTH_OS_LINUX_STACK_MEMORY_H

#include <sys/types.h>

#include "base/map.h"
#include "os/linux/files/timeout.h"

struct stack_memory {
	pid_t pid;
	int status;	  /* of the last read that failed; 0: none did */
	struct map pages; /* number of the page -> its bytes */
	struct timeout timeout;
};

void stack_memory_init(struct stack_memory *m);
void stack_memory_fini(struct stack_memory *m);
/* Forgets what was read: another process, or the next thread. */
void stack_memory_begin(struct stack_memory *m, pid_t pid);
bool stack_memory_read(struct stack_memory *m, void *out, uint32_t size, uint64_t address);

#endif

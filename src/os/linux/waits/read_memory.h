/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a process, which may be backed by a file that nothing brings: only for functions that
 * run in the child of a timeout_call() (os/linux/files/timeout.h), so named do_ as those are.
 */
#ifndef SOOTH_OS_LINUX_WAITS_READ_MEMORY_H
#define SOOTH_OS_LINUX_WAITS_READ_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exactly `size` bytes. */
bool do_read_memory(pid_t pid, uint64_t address, void *out, size_t size);

#endif

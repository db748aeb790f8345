/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a process, which may be backed by a file that never answers. Only for functions that
 * run in the child of a timeout_call() (timeout.h); so the names begin with do_, like those of such
 * functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Reads exactly `size` bytes. */
static inline bool do_read_memory(pid_t pid, uint64_t address, void *out, size_t size)
{
	struct iovec here = { out, size }, there = { (void *)address, size };

	return address && process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

/* Reads memory as a callback: `pid` points to a uint32_t. */
static inline bool do_read_process(void *pid, uint64_t address, void *out, size_t size)
{
	return do_read_memory((pid_t) * (const uint32_t *)pid, address, out, size);
}

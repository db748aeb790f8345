/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of a process with V8. */
#ifndef SOOTH_OS_LINUX_V8_PROCESS_H
#define SOOTH_OS_LINUX_V8_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* `user`: its number, uint32_t. May wait: call it with a timeout. */
static inline bool v8_process_read(void *user, uint64_t address, void *out, size_t size)
{
	struct iovec local = { out, size }, remote = { (void *)address, size };

	return process_vm_readv((pid_t) * (const uint32_t *)user, &local, 1, &remote, 1, 0) ==
	       (ssize_t)size;
}

#endif

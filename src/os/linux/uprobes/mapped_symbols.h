/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions at addresses of a process, from its mapped files. Reading such a file may never
 * return, so this has a timeout; only regular files are opened, and through the process, whose
 * paths may differ from sooth's.
 */
#ifndef SOOTH_OS_LINUX_MAPPED_SYMBOLS_H
#define SOOTH_OS_LINUX_MAPPED_SYMBOLS_H

#include "os/linux/files/maps.h"
#include "os/linux/files/timeout.h"
#include "symbols/elf_address.h"

/* `process` is a descriptor of /proc/PID. Offsets are in the file of that mapping. 0, or a
 * negative errno: -ETIMEDOUT when the file did not answer. */
int mapped_symbols(struct timeout *timeout, int process, const struct maps_line *mapping,
	struct elf_address *addresses, size_t count);

#endif

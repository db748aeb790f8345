/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that addresses of a process stand in, by the files it has mapped. A file
 * may lie where reading it never returns, so this is done with patience; it is opened
 * only when it is a regular one, and through the process, whose paths are not ours.
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

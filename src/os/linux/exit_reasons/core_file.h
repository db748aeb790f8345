/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the kernel puts the core of a process: core(5). */
#ifndef SOOTH_OS_LINUX_CORE_FILE_H
#define SOOTH_OS_LINUX_CORE_FILE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/cursor.h"

/*
 * /proc/sys/kernel/core_pattern for one process, as a pattern of fnmatch(3): what cannot be known
 * afterwards (time, host name, name of the thread) is a "*". False: cores are piped to a program,
 * or it is no pattern. `uses_pid`: core_uses_pid, for patterns without a %p.
 */
bool core_file_pattern(struct buffer *out, struct span pattern, uint32_t pid, bool uses_pid);
/* The program that cores are piped to; empty: none. */
struct span core_file_handler(struct span pattern);
/* A file name of systemd-coredump, "core.NAME.UID.BOOT.PID.TIME...": the pid, if it is of this
 * boot. */
bool core_file_stored(struct span name, struct span boot_id, uint32_t *pid);

#endif

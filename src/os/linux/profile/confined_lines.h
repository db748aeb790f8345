/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source lines of a file that may be hostile. libdw overflows its stack where entries are nested
 * deeply, takes a hundred times the size of a file for its lines, opens other files by names in the
 * file, and ends the process that has no more memory. So a process is made that reads one file,
 * with limits, and opens no other.
 */
#ifndef SOOTH_OS_LINUX_CONFINED_LINES_H
#define SOOTH_OS_LINUX_CONFINED_LINES_H

#include "os/linux/profile/file_names.h"

#define CONFINED_LINES_MEMORY (UINT64_C(1) << 30)
#define CONFINED_LINES_S      (FILE_LINES_MS / 1000 - 1) /* of CPU time */

/*
 * As elf_lines(), of names->addresses into names->lines. When the process exceeds its limits or
 * crashes, or what it returns is not sound, none is filled in, all are marked as refused, and no
 * further one of these names is tried. It waits for its child: the caller is a process of
 * timeout_call().
 */
void confined_lines(int file, struct file_names *names);

#endif

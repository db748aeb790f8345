/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Source lines of a file that may be hostile. libdw overflows its stack when entries are nested
 * deeply, needs a hundred times the size of a file for its lines, opens other files that the file
 * names, and ends its process when memory runs out. So a separate process reads one file, with
 * limits, and opens no other.
 */
#pragma once

#include "os/linux/profile/file_names.h"

/*
 * Fills names->lines for names->addresses, as elf_lines() does. If the child process exceeds its
 * limits or crashes, or its result is invalid, no line is filled in, all are marked as refused, and
 * no further line of these names is tried. This function waits for its child, so its caller must be
 * a process of timeout_call().
 */
void confined_lines(int file, struct file_names *names);

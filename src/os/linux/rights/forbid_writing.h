/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/* Forbids for the rest of the process what Landlock of this kernel can forbid (landlock(7)): to
 * open files for writing, to make and remove them (Linux 5.13), and to empty them (6.2). These
 * files, and those in these folders and below, stay writable. Without any, also signals to other
 * processes, and their abstract sockets (6.12). It needs no_new_privs. */
void forbid_writing(const char *const *places, size_t count);

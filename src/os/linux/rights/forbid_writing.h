/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOOTH_OS_LINUX_FORBID_WRITING_H
#define SOOTH_OS_LINUX_FORBID_WRITING_H

#include <stddef.h>

/* Forbids for the rest of the process what Landlock of this kernel can forbid (landlock(7)): to
 * open files for writing, to make and remove them (Linux 5.13), to empty them (6.2), and signals to
 * processes other than its children (6.12). These files, and those in these folders and below, stay
 * writable; NULL: none. It needs no_new_privs. */
void forbid_writing(const char *const *folders, size_t count);

#endif

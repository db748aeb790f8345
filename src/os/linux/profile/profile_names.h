/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in an open file that may not answer: of its functions, and of its debug file. */
#ifndef SOOTH_OS_LINUX_PROFILE_NAMES_H
#define SOOTH_OS_LINUX_PROFILE_NAMES_H

#include "os/linux/files/timeout.h"
#include "os/linux/profile/debug_file.h"
#include "symbols/elf_address.h"
#include "symbols/elf_lines.h"

/* Fills in the functions at these offsets, at most ELF_ADDRESSES_MAX, with `lines` (NULL: not asked
 * for) those of the same addresses, and what leads to the debug file. 0, or a negative errno:
 * -ETIMEDOUT when the file did not answer. */
int profile_names(struct timeout *timeout, int file, struct elf_address *addresses,
	struct elf_line *lines, size_t count, struct debug_identity *identity);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Names in an open file that may not answer: of its functions, and its GNU build id. */
#ifndef SOOTH_OS_LINUX_PROFILE_NAMES_H
#define SOOTH_OS_LINUX_PROFILE_NAMES_H

#include "os/linux/files/timeout.h"
#include "symbols/elf_address.h"

#define PROFILE_BUILD_ID_SIZE 129 /* 64 bytes in hexadecimal */

/* Fills in the functions at these offsets, at most ELF_ADDRESSES_MAX, and the build id, which stays
 * empty if there is none. 0, or a negative errno: -ETIMEDOUT when the file did not answer. */
int profile_names(struct timeout *timeout, int file, struct elf_address *addresses, size_t count,
	char build_id[PROFILE_BUILD_ID_SIZE]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The GNU build id of an ELF file, which identifies its contents wherever it is. */
#ifndef SOOTH_OS_LINUX_BUILD_ID_H
#define SOOTH_OS_LINUX_BUILD_ID_H

#include "os/linux/files/maps.h"
#include "os/linux/files/timeout.h"

#define BUILD_ID_TEXT_SIZE 129 /* 64 bytes in hexadecimal */

/* Of a file that the process has mapped, whose directory is open. 0; -ENOENT when there is none;
 * -ETIMEDOUT when the file did not answer; another negative errno when it cannot be read as ELF. */
int build_id_read(struct timeout *timeout, int process, const struct maps_line *mapping,
	char out[BUILD_ID_TEXT_SIZE]);

#endif

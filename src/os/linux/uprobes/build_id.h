/* SPDX-License-Identifier: BSD-2-Clause */
/* The GNU build id of an ELF file, which identifies its contents wherever it is. */
#ifndef SOOTH_OS_LINUX_BUILD_ID_H
#define SOOTH_OS_LINUX_BUILD_ID_H

#include <stddef.h>

#define BUILD_ID_TEXT_SIZE 129 /* 64 bytes in hexadecimal */

/* 0; -ENOENT when there is none; another negative errno when the file cannot be read as ELF. */
int build_id_read(int process, const char *path, char out[BUILD_ID_TEXT_SIZE]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A fetched file that is kept: its bytes, followed by a seal with their number and checksum. A file
 * that was cut, damaged or written by another version has no valid seal. An ELF file may be longer
 * than its headers say, so it can be read with its seal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SEALED_FILE_MORE 48 /* bytes of the seal, at most */

/* Appends the seal to an open file. */
bool sealed_file_write(int file);
bool sealed_file_is_whole(int file);

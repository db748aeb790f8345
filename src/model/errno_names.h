/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOOTH_MODEL_ERRNO_NAMES_H
#define SOOTH_MODEL_ERRNO_NAMES_H

#include <stdint.h>

/* "ENOENT" for 2; NULL for a number without a name. */
const char *errno_name(uint64_t number);
/* "No such file or directory" for 2; NULL as well. */
const char *errno_text(uint64_t number);

#endif

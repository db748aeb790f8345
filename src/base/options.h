/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structs of options of the public headers begin with their size, so that a program and the library
 * may be of different versions. Members that only the program's struct has must be 0; an impossible
 * size means that it was not set.
 */
#ifndef SOOTH_BASE_OPTIONS_H
#define SOOTH_BASE_OPTIONS_H

#include <stddef.h>

#include "base/error.h"

/* `size` bytes as far as the caller has them; NULL: zeros. -EINVAL. */
int options_take(void *to, size_t size, const void *options, struct sooth_error *err);

#endif

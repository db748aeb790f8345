/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structs of options in the public headers begin with their size, so that a program and the library
 * may be of different versions. Members that only the program's struct has must be 0. An impossible
 * size means that the program did not set it.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* Copies `options` to `to`; members that the caller's version lacks become zeros. NULL: all zeros.
 * -EINVAL: the options are wrong. */
int options_copy(void *to, size_t size, const void *options, struct sooth_error *err);

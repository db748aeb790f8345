/* SPDX-License-Identifier: BSD-2-Clause */
/* The known name nearest to a mistyped one. */
#pragma once

#include <stddef.h>

/* Returns the name that is at most two edits from `typed`; NULL: none is near. */
const char *nearest_name(const char *typed, const char *const *names, size_t count);

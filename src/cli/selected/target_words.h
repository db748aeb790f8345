/* SPDX-License-Identifier: BSD-2-Clause */
/* The targets that a shell completes: a line for each, with a description behind a tab. */
#pragma once

#include <stddef.h>

#include "base/error.h"

const char *target_words_kind(size_t index);
/* Prints the targets of a kind whose text begins with `beginning`. Without a beginning, processes
 * that have nothing to do with agents are left out. */
int target_words_print(const char *kind, const char *beginning, struct sooth_error *err);

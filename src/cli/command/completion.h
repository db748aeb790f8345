/* SPDX-License-Identifier: BSD-2-Clause */
/* Shell completion scripts, made from the option tables. */
#pragma once

#include <stddef.h>

/* Returns the name of a shell; NULL after the last. */
const char *completion_shell(size_t index);
/* Prints the completion to standard output. Returns 0. */
int completion_print(const char *shell);

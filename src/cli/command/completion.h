/* SPDX-License-Identifier: BSD-2-Clause */
/* Shell completion scripts, made from the option tables. */
#ifndef SOOTH_CLI_COMPLETION_H
#define SOOTH_CLI_COMPLETION_H

#include <stddef.h>

/* Returns the name of a shell; NULL after the last. */
const char *completion_shell(size_t index);
/* Prints the completion to standard output. Returns 0. */
int completion_print(const char *shell);

#endif

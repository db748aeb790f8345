/* SPDX-License-Identifier: BSD-2-Clause */
/* Completion of shells, made of the option tables. */
#ifndef SOOTH_CLI_COMPLETION_H
#define SOOTH_CLI_COMPLETION_H

#include <stddef.h>

/* The shells, NULL behind the last. */
const char *completion_shell(size_t index);
/* Prints the completion to standard output. Returns 0. */
int completion_print(const char *shell);

#endif

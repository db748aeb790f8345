/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions on the terminal. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Returns whether standard input is a terminal. */
bool ask_is_answered(void);
/* Returns whether standard error is a terminal. */
bool ask_is_seen(void);
/* Asks on standard error; any answer other than y or yes is no; input typed earlier is dropped. */
bool ask_yes(const char *question);
/* Asks on standard output until the answer is 1 to `most`. Returns 0 for an empty line or the end
 * of input. */
uint64_t ask_number(const char *prompt, uint64_t most);

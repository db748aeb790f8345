/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to whoever sits at the terminal. */
#ifndef SOOTH_CLI_ASK_H
#define SOOTH_CLI_ASK_H

#include <stdbool.h>
#include <stdint.h>

/* Somebody can type an answer (standard input is a terminal). */
bool ask_is_answered(void);
/* Somebody sees what is said meanwhile (standard error is a terminal). */
bool ask_is_seen(void);
/* On standard error; whatever is not y or yes is a no, and so is what was typed before. */
bool ask_yes(const char *question);
/* On standard output, for as long as the answer is none of 1 to `most`. 0: nothing was typed, or
 * the end of input. */
uint64_t ask_number(const char *prompt, uint64_t most);

#endif

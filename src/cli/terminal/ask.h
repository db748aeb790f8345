/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions on the terminal. */
#ifndef SOOTH_CLI_ASK_H
#define SOOTH_CLI_ASK_H

#include <stdbool.h>
#include <stdint.h>

/* Standard input is a terminal. */
bool ask_is_answered(void);
/* Standard error is a terminal. */
bool ask_is_seen(void);
/* On standard error; every answer other than y or yes is no, and earlier input is dropped. */
bool ask_yes(const char *question);
/* On standard output, repeated until the answer is 1 to `most`. 0: an empty line or the end of
 * input. */
uint64_t ask_number(const char *prompt, uint64_t most);

#endif

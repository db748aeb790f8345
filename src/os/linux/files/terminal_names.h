/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of terminals by their device number, as /proc/PID/stat has it: "pts/3", "tty1". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define TERMINAL_NAME_SIZE 40

/* Returns the number of a device as in stat(5). */
uint32_t terminal_number(uint32_t major, uint32_t minor);
/* Sets the name, from the target of the link /sys/dev/char/MAJOR:MINOR ("": none); false: it is no
 * terminal. */
bool terminal_name_from(char name[TERMINAL_NAME_SIZE], uint32_t number, struct span link);
/* Sets the name, or "MAJOR:MINOR" if it is unknown. False: it is no terminal. */
bool terminal_name(char name[TERMINAL_NAME_SIZE], uint32_t number);
bool is_terminal_number(uint32_t number);

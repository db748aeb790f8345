/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the library's messages to standard error, from the selected level on. */
#pragma once

#include <stdbool.h>

/* Sets the level of --log-level, which overrides SOOTH_LOG. False: no such level. */
bool log_want(const char *level);
int log_selected(void);
void log_print(void *user, int level, const char *line);

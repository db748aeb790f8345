/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces by a menu on a terminal: the user chooses an agent and what to trace. The choice is shown
 * as a command line, which then runs. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Returns whether there is a terminal for the menu. */
bool tracing_menu_can_ask(void);
/* Runs the menu. Returns the exit status, or a negative errno with err filled. */
int tracing_menu_run(struct sooth_error *err);

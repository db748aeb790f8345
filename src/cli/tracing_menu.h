/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracing by menu, on a terminal: which agent, and what of it. Each choice is shown as the
 * command line that does the same, and is run as that. */
#ifndef SOOTH_CLI_TRACING_MENU_H
#define SOOTH_CLI_TRACING_MENU_H

#include <stdbool.h>

#include "base/error.h"

/* There is a terminal to ask on. */
bool tracing_menu_can_ask(void);
/* Exit status, or a negative errno with err filled. */
int tracing_menu_run(struct sooth_error *err);

#endif

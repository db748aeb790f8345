/* SPDX-License-Identifier: BSD-2-Clause */
/* Ctrl-C and SIGTERM: a request to stop is noted, and the run ends with a whole report. */
#ifndef SOOTH_CLI_STOP_H
#define SOOTH_CLI_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

void stop_catch(void); /* from here on SIGINT, SIGTERM and SIGHUP are requests */
/* SIGQUIT too, for a command that must return the terminal. */
void stop_catch_quit(void);
bool stop_is_selected(void);
/* From here on a SIGHUP that another process sends is a request to read settings again; that of a
 * terminal which is gone stays one to stop. */
void reload_catch(void);
/* Returns whether there was such a request since the last call. */
bool reload_was_requested(void);

/* In `after_ns` the program prints this error and ends with its status. */
void deadline_set(uint64_t after_ns, const struct sooth_error *err);
void deadline_clear(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Handling of Ctrl-C and SIGTERM: the run ends with a complete report. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

void stop_catch(void); /* from now on SIGINT, SIGTERM and SIGHUP request a stop */
/* Catches SIGQUIT too, for a command that must restore the terminal. */
void stop_catch_quit(void);
bool stop_is_selected(void);
/* Makes a SIGHUP that a process sends a request to read settings again; a SIGHUP because the
 * terminal is gone still requests a stop. */
void reload_catch(void);
/* Returns whether a request to read settings came since the last call. */
bool reload_was_requested(void);

/* Sets a deadline: after `after_ns` the program prints this error and exits with its status. */
void deadline_set(uint64_t after_ns, const struct sooth_error *err);
void deadline_clear(void);

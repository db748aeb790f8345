/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last resort against a call of another library that cannot be interrupted: when the time is
 * over the program ends with an error, from a signal handler. One at a time.
 */
#ifndef SOOTH_CLI_TERMINAL_DEADLINE_H
#define SOOTH_CLI_TERMINAL_DEADLINE_H

#include <stdint.h>

#include "base/error.h"

/* In `after_ns` the program prints this error and ends with its status. */
void deadline_set(uint64_t after_ns, const struct sooth_error *err);
void deadline_clear(void);

#endif

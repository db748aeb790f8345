/* SPDX-License-Identifier: BSD-2-Clause */
/* The session id in the JSON that an agent passes to its status line on standard input. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Reads for some milliseconds at most, and nothing from a terminal. False: there is no id. */
bool session_input_read(char *id, size_t size);

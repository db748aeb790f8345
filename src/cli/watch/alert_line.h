/* SPDX-License-Identifier: BSD-2-Clause */
/* A line of an alert, where the user reads it. */
#pragma once

#include "cli/watch/alerts.h"

/* Prints the text on the screen, or on standard error. */
void alert_line(struct alerts *a, const char *text);
/* Rings the bell if standard error is a terminal. */
void alert_bell(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that an alert starts: the one of the user, and notify-send for a notice on the desktop.
 */
#pragma once

#include "cli/watch/alert_emit.h"

/* The program of the user gets the alert on its input. */
void alert_run(struct alerts *a, const struct buffer *json);
/* Shows a desktop notice; `sentence` has no control characters. A missing notify-send is reported
 * once. */
void alert_notice(struct alerts *a, const struct alert_event *e, const char *sentence);
/* Frees the slots of programs that have exited. */
void alert_reap(struct alerts *a);

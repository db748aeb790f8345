/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * State of the caller that sooth changes for itself: ignored signals, closed standard streams. A
 * launched command gets it as it was.
 */
#pragma once

#include <stdbool.h>

/* Ignores a signal from now on, or with `is_ignored` false gives it its default action. */
void inherited_change_signal(int number, bool is_ignored);
/* Notes that a standard stream was closed. */
void inherited_note_closed(int fd);
/* In a child before its exec: undoes the changes. An exec resets handlers, but an ignored signal
 * would stay ignored. */
void inherited_restore(void);

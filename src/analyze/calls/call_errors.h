/* SPDX-License-Identifier: BSD-2-Clause */
/* Which errors of calls are ordinary answers, and which are grave. */
#ifndef SOOTH_ANALYZE_CALL_ERRORS_H
#define SOOTH_ANALYZE_CALL_ERRORS_H

#include "probes/syscall_names.h"

/*
 * Whether an error is an ordinary answer of that call: there is nothing yet, it is not a terminal,
 * it exists already. ENOENT and ENOTDIR of a path are not among them; whether something is searched
 * for, a single call does not show.
 */
bool call_error_is_answer(const struct syscall_row *row, unsigned error);
/* Returns whether the error means that a limit of processes and threads is reached: trying again
 * does not help then. */
bool call_error_is_no_room(const struct syscall_row *row, unsigned error);
/* Returns whether the error is serious for any program: no space, no descriptors, no memory, a
 * broken device. */
bool call_error_is_grave(unsigned error);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Which errors of system calls are ordinary answers, and which are serious. */
#ifndef SOOTH_ANALYZE_CALL_ERRORS_H
#define SOOTH_ANALYZE_CALL_ERRORS_H

#include "probes/syscall_names.h"

/* Returns whether an error is an ordinary answer of that call: no data yet, not a terminal, exists
 * already. ENOENT and ENOTDIR of a path do not count: a single call does not show whether the
 * program only searches for a file. */
bool call_error_is_answer(const struct syscall_row *row, unsigned error);
/* Returns whether the error means that a limit of processes and threads is reached: a retry does
 * not help. */
bool call_error_is_no_room(const struct syscall_row *row, unsigned error);
/* Returns whether the error is serious for any program: no space, no descriptors, no memory, a
 * broken device. */
bool call_error_is_grave(unsigned error);

#endif

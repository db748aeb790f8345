/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that a program started later does not inherit. macOS has no call that makes them so
 * at once: there a program started by another thread in between may inherit them. */
#ifndef SOOTH_BASE_CLOSED_AT_EXEC_H
#define SOOTH_BASE_CLOSED_AT_EXEC_H

#include <stdbool.h>

/* As pipe(2), socket(2), socketpair(2) and accept(2): -1 and errno. */
int closed_at_exec_pipe(int ends[2]);
int closed_at_exec_socket(int family, int type, bool blocks);
int closed_at_exec_pair(int family, int type, int ends[2]);
int closed_at_exec_accept(int listener, bool blocks);

#endif

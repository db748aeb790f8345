/* SPDX-License-Identifier: BSD-2-Clause */
/* Make descriptors that are closed at an exec. macOS has no call that does both at once: there, a
 * program that another thread starts in between may inherit them. */
#pragma once

#include <stdbool.h>

/* Like pipe(2), socket(2), socketpair(2) and accept(2): return -1 and set errno on failure. */
int closed_at_exec_pipe(int ends[2]);
int closed_at_exec_socket(int family, int type, bool blocks);
int closed_at_exec_pair(int family, int type, int ends[2]);
int closed_at_exec_accept(int listener, bool blocks);

/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOOTH_OS_LINUX_EXPLAIN_ONLY_H
#define SOOTH_OS_LINUX_EXPLAIN_ONLY_H

#include <stddef.h>

struct os;

/*
 * A capture may come from anywhere, and sooth decodes it itself. For a program with more privileges
 * than an ordinary user, takes for the rest of the process what explaining a capture does not need:
 * privileges except those to read and write the caller's files and to become the user of sudo,
 * sockets, the memory of other processes, signals to them, and writing outside of these folders. It
 * still reads every file that the caller could read. Each limit that the kernel does not know is
 * left out: Landlock needs Linux 5.13.
 */
void explain_only(const struct os *os, const char *const *folders, size_t count);

#endif

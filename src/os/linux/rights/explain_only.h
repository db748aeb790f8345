/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "os/os.h"

/*
 * A capture may come from anywhere, and sooth decodes it itself. For a program with more privileges
 * than an ordinary user, takes for the rest of the process
 * what explaining a capture does not need: the processes that parse, capabilities but the one to
 * read and write files, sockets, the memory of other processes, signals to them, owners and modes
 * of files, mounts, and writing outside of the places. It still reads every file that the caller
 * could read. Without Landlock (before Linux 5.13) it also writes anywhere.
 */
void explain_only(const struct os *os, const struct explain_only *what);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A launched command is a child that waits on a pipe before its exec, so that probes are in place
 * when it starts. A second, close-on-exec pipe reports why an exec failed. Both ends, as every
 * system with fork(2) has them.
 */
#pragma once

#include "os/os.h"

/* --- of the child --- */

/* Waits for the release. False: sooth is gone, or has abandoned it. */
bool launch_pipe_read(int pipe, struct launch_preload *preload);

/* --- of sooth: struct os --- */

int launch_pipe_release(const struct os *os, struct launch *launch, struct sooth_error *err);
void launch_pipe_abandon(const struct os *os, struct launch *launch);

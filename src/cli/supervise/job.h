/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of a command that runs in the process group of sooth. Those of the terminal reach the
 * command without sooth; those that a process sends to sooth are passed on. When the terminal stops
 * the command, sooth stops too, so that a shell sees a stopped job.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Catches the signals and holds them back: call this before the command is launched. */
void job_begin(void);
/* From now on signals arrive; 0: the command could not be started. */
void job_started(pid_t command);
/* From now on they do what they did before. */
void job_over(void);
/* Takes the next signal that a process sent to sooth. False: there is none. */
bool job_next_signal(int *number, pid_t *sender);
/* Follows a stop of the command by its terminal, until sooth continues. */
void job_follow_stop(void);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of signals and of their handlers' flags, for display; in the numbers of Linux on x86 and
 * arm. */
#pragma once

#include <stdint.h>

struct buffer;

#define SIGNAL_NAME_SIZE 16

/* Signals that records have, of whatever system they are: <signal.h> is of the one that reads. */
enum {
	SIGNAL_HANGUP = 1,
	SIGNAL_INTERRUPT = 2,
	SIGNAL_QUIT = 3,
	SIGNAL_ILLEGAL = 4,
	SIGNAL_TRAP = 5,
	SIGNAL_ABORT = 6,
	SIGNAL_BUS = 7,
	SIGNAL_FPE = 8,
	SIGNAL_KILL = 9,
	SIGNAL_USER1 = 10,
	SIGNAL_SEGV = 11,
	SIGNAL_PIPE = 13,
	SIGNAL_TERMINATE = 15,
	SIGNAL_CHILD = 17,
	SIGNAL_CPU_LIMIT = 24,
	SIGNAL_SIZE_LIMIT = 25,
	SIGNAL_BAD_CALL = 31,
};

/* Writes the name of a signal: "SIGTERM", "SIGRTMIN+3"; those the C library keeps for itself are
 * "SIG32" and "SIG33". */
const char *signal_name(char out[SIGNAL_NAME_SIZE], unsigned number);
/* Writes the names of flags: "SA_RESTART SA_SIGINFO"; flags that the C library always sets are left
 * out, unknown bits are in hex. */
void signal_flag_names(struct buffer *out, uint64_t flags);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a program of the system, and reads its output as it comes: dtrace(1), fs_usage(1),
 * sample(1). The program has its own environment, so that its output is in English, and its own
 * process group, so that an interrupt at the terminal does not end it too early.
 */
#pragma once

#include <sys/types.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"

struct tool {
	pid_t pid; /* 0: none runs */
	int out, complaints;
	struct buffer lines;  /* standard output that was not handed over yet */
	char complaint[1024]; /* the beginning of standard error */
	int status;	      /* status of wait(2), once it ended */
	bool has_ended;
};

void tool_init(struct tool *t);
/* Starts a program. `words` ends with NULL; the first is the path of the program. */
int tool_start(struct tool *t, const char *const *words, struct sooth_error *err);
/* Reads new output. Returns true if the program has ended and all is read. */
bool tool_read(struct tool *t);
/* Hands over the whole lines without their newlines. An incomplete last line is kept until its rest
 * has come. */
typedef void (*tool_line_visitor)(void *user, struct span line);
void tool_lines(struct tool *t, tool_line_visitor visitor, void *user);
/* Waits up to timeout_ms for more output. */
void tool_wait(const struct tool *t, int timeout_ms);
/* Interrupts the program, reads its last lines, and kills it if it does not end in time. */
void tool_stop(struct tool *t, int timeout_ms);
/* Writes the first line of standard error; "": none. */
void tool_first_complaint(const struct tool *t, char *out, size_t room);
/* Kills the program. */
void tool_fini(struct tool *t);

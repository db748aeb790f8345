/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of the system whose output is read as it comes: dtrace(1), fs_usage(1), sample(1). It
 * has an environment of its own, so that its output is in English, and a process group of its own,
 * so that an interrupt at the terminal does not end it before its last lines are read.
 */
#ifndef SOOTH_OS_BSD_TOOL_H
#define SOOTH_OS_BSD_TOOL_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/error.h"

struct tool {
	pid_t pid; /* 0: none runs */
	int out, complaints;
	struct buffer lines;  /* of standard output, not taken yet */
	char complaint[1024]; /* the beginning of standard error */
	int status;	      /* of wait(2), once it ended */
	bool has_ended;
};

void tool_init(struct tool *t);
/* `words` ends with NULL; the first is the path of the program. */
int tool_start(struct tool *t, const char *const *words, struct sooth_error *err);
/* Reads the output that has come since. True: the program has ended and all is read. */
bool tool_read(struct tool *t);
/* Hands over the whole lines that were read, without their ends; what is behind the last one comes
 * with the next. */
typedef void (*tool_line_visitor)(void *user, struct span line);
void tool_lines(struct tool *t, tool_line_visitor visitor, void *user);
/* Waits up to that time for more output. */
void tool_wait(const struct tool *t, int timeout_ms);
/* Interrupts it, reads its last lines, and kills it if it does not end within that time. */
void tool_stop(struct tool *t, int timeout_ms);
/* The first line of standard error; "": none. */
void tool_first_complaint(const struct tool *t, char *out, size_t room);
/* Ends it at once. */
void tool_fini(struct tool *t);

#endif

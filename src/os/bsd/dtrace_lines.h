/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that the programs of dtrace_program.h print. Tabs stand between words; texts of the
 * target come with everything that cannot be printed escaped (%S), so a process cannot make a line.
 *
 *	b TIME                                                       it runs
 *	t TIME                                                       nothing is missing up to then
 *	c TIME PID PPID TID CALL ERRNO RESULT NS A0 A1 A2 A3 A4 A5 PROCESS PATH   a call returned
 *	l TIME PID PPID TID CALL A0 PROCESS                          a call that never returns
 *	p TIME PID PPID PROCESS                                      it runs another program now
 *	e TIME PID PPID PROCESS                                      it ends
 *	w TIME                                                       sums up to then follow
 *	n PID PPID TID CALL ERRNO SLOT COUNT NS MOST_NS              calls with the same of all that
 *	x PID PPID TID CALL COUNT                                    calls that never return
 *	s PID PPID TID PROCESS COUNT, frames a line each, S          a stack
 *
 * TIME is of the clock of the day, in ns.
 */
#ifndef SOOTH_OS_BSD_DTRACE_LINES_H
#define SOOTH_OS_BSD_DTRACE_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

#define DTRACE_TEXT_SIZE 256
#define DTRACE_ARGUMENTS 6

struct dtrace_line {
	char kind;
	uint64_t utc_ns;
	uint32_t pid, ppid;
	uint64_t tid;
	struct span call; /* borrowed */
	uint32_t error;	  /* an errno of the system */
	int64_t result;
	uint64_t arguments[DTRACE_ARGUMENTS];
	uint64_t count, total_ns, max_ns; /* of a call: total_ns is its duration */
	uint32_t slot;
	char process[DTRACE_TEXT_SIZE];
	char path[DTRACE_TEXT_SIZE];
};

/* One line without its end. False: it is none of these, or not whole. */
bool dtrace_line_decode(struct dtrace_line *out, struct span line);

struct dtrace_frame {
	struct span function; /* empty: unknown */
	struct span module;   /* empty: unknown */
	uint64_t address;     /* of an unknown function; in its module if it has one */
	uint64_t into;	      /* bytes behind the begin of the function */
};

/* A line of a stack: "libc.so.7`write+0xa", "a.out`0x1234", "0x800401234". False: it is none. */
bool dtrace_frame_decode(struct dtrace_frame *out, struct span line);

/* "dtrace: 17 drops on CPU 0" and the like: how many of the lines of standard error say. */
uint64_t dtrace_drops(const char *complaints);

#endif

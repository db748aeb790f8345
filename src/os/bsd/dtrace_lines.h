/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines that the programs of dtrace_program.h print. Words are separated by tabs. Unprintable
 * characters in texts of the target are escaped (%S), so a process cannot forge a line.
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
 * TIME is the wall clock in ns.
 */
#pragma once

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
	uint64_t count, total_ns, max_ns; /* values of a call: total_ns is its duration */
	uint32_t slot;
	char process[DTRACE_TEXT_SIZE];
	char path[DTRACE_TEXT_SIZE];
};

/* Decodes a line without its newline. False: it is none of these, or incomplete. */
bool dtrace_line_decode(struct dtrace_line *out, struct span line);

struct dtrace_frame {
	struct span function; /* empty: unknown */
	struct span module;   /* empty: unknown */
	uint64_t address;     /* address of an unknown function; an offset if the module is known */
	uint64_t into;	      /* offset in the function */
};

/* Decodes a line of a stack: "libc.so.7`write+0xa", "a.out`0x1234", "0x800401234"; false: none. */
bool dtrace_frame_decode(struct dtrace_frame *out, struct span line);

/* Returns the number of drops in standard error: "dtrace: 17 drops on CPU 0" and similar lines. */
uint64_t dtrace_drops(const char *complaints);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a thread waits, by its system call, and the function that can be changed. */
#pragma once

#include "analyze/profile/profile_sums.h"
#include "explain/output.h"
#include "probes/syscall_names.h"

enum wait_reason {
	WAIT_PREEMPTED,
	WAIT_FOR_LOCK,
	WAIT_FOR_TIME,
	WAIT_FOR_DESCRIPTORS,
	WAIT_FOR_DATA,
	WAIT_FOR_TURN,
	WAIT_FOR_CHILD,
	WAIT_FOR_SIGNAL,
	WAIT_FOR_DISK,
	WAIT_FOR_MEMORY,
	WAIT_FOR_OTHER,
	WAIT_SHORT,   /* too short to be recorded one by one */
	WAIT_RUNNING, /* no wait: on a CPU */
	WAIT_REASONS,
};

extern const struct sooth_names wait_reason_names;

/* Colors of a picture of waits: reasons that look alike to its reader share one. */
enum wait_color {
	WAIT_COLOR_NONE, /* none has most of the time */
	WAIT_COLOR_DISK,
	WAIT_COLOR_LOCK,
	WAIT_COLOR_DATA,
	WAIT_COLOR_POLL,
	WAIT_COLOR_SLEEP,
	WAIT_COLOR_CHILD,
	WAIT_COLOR_PAGE,
	WAIT_COLOR_PREEMPTED,
	WAIT_COLOR_OTHER,
	WAIT_COLORS,
};

extern const struct sooth_names wait_color_names;
uint32_t wait_color_of(const struct profile_wait *w);

#define WAIT_NOT_ANY UINT32_MAX /* no stack; no system call */

/* properties shared by all waits at one place */
struct wait_key {
	uint32_t stack;	      /* WAIT_NOT_ANY: the wait began before the recording */
	uint32_t number, abi; /* number and ABI of the system call; WAIT_NOT_ANY */
	uint32_t reason;      /* enum wait_reason */
};

struct wait_key wait_key_of(const struct profile_wait *w);
/* Writes the name of the system call; empty: none. Returns the state of that name in a row. */
uint8_t wait_call_text(uint32_t abi, uint32_t number, char name[SYSCALL_NAME_SIZE]);

/* Returns the user's own function, not the interpreter that runs it: the function of a script, or
 * the innermost one that is neither the kernel's nor a library's of C or C++. NULL: none is
 * known. */
const struct profile_function *wait_place_function(
	const struct profile_sums *sums, const struct profile_stacked *stacked);

/* The result of wait_place_function() for a stack, with names. */
struct wait_place {
	uint32_t function, file; /* numbers in sums.names; if unknown, the reason */
	bool is_known, is_whole; /* the function is known; the stack is whole */
	bool is_script;		 /* the function is in a script */
};

/* Returns whether a frame is the kernel's, the C library's or an allocator's. */
bool wait_place_is_below(const struct profile_sums *sums, const struct profile_function *f);
struct wait_place wait_place_of(struct profile_sums *sums, uint32_t stack);
/* Sums by place: a map of this key to uint64_t. */
struct wait_place_key {
	uint32_t function, file; /* file: of the code, or its line; numbers of names */
};

void wait_place_add(struct map *places, uint32_t function, uint32_t file, uint64_t amount);
/* Returns the place with the largest sum, of one function only unless that is NAMES_NONE. *sum is 0
 * if there is none. */
struct wait_place_key wait_place_most(const struct map *places, uint32_t function, uint64_t *sum);

/* Emits a limit, if some waits began before the recording. */
void wait_report_old_waits(struct output *output, uint64_t old);

/* The columns of a place. */
#define WAIT_PLACE_FIELDS(F, S)                                                                    \
	F(S, TEXT, function, ALWAYS,                                                               \
		"innermost function that is neither the kernel's nor the C library's",             \
		.is_key = true, .may_shrink = true)                                                \
	F(S, TEXT, file, ALWAYS, "file with the code of the function", .is_key = true,             \
		.may_shrink = true)

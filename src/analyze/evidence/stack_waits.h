/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object of a thread's wait on a futex, by its stack: a lock, the result of a task, or work.
 * The futex itself shows that only for mutexes of glibc: locks of Rust and Python have no owner,
 * and a queue that is empty looks the same.
 */
#pragma once

#include "analyze/diagnosis/diagnosis_input.h"

enum stack_wait_kind {
	STACK_WAIT_UNSEEN, /* no stack of the thread was recorded, or only a part */
	STACK_WAIT_OTHER,  /* waits for work, a condition or the end of a thread */
	STACK_WAIT_LOCK,
	STACK_WAIT_RESULT, /* waits for the result of a task: Future.result() of Python */
};

struct stack_wait {
	enum stack_wait_kind kind;
	bool is_pool;  /* the thread runs a task of a ThreadPoolExecutor */
	bool is_queue; /* the thread is in put(), get() or join() of a queue.Queue: only a thread
			  ends the wait */
	bool is_condition;  /* a pthread condition: only a thread, no signal handler, ends it */
	bool is_end;	    /* the program has ended, and the thread waits for other threads */
	bool is_loop;	    /* the thread provides results: an event loop, or a process pool */
	struct span by;	    /* the function that waits, in the runtime or library */
	struct span within; /* the program's function that called `by`; empty: unknown */
	struct span file;   /* file of `within`: "b11.py:3" */
	struct span caller, caller_file; /* caller of the function that waits on a condition */
};

struct stack_wait stack_wait_of(
	const struct diagnosis_input *input, const struct process_id *id, uint32_t tid);
/* Finds the stack of the thread, with the names of its frames; false: none was recorded. */
bool stack_wait_frames(const struct diagnosis_input *input, const struct process_id *id,
	uint32_t tid, struct profile_stacked *out);
struct span stack_wait_function(
	const struct diagnosis_input *input, const struct profile_function *f);
struct span stack_wait_file(const struct diagnosis_input *input, const struct profile_function *f);
/* Appends "load_rates (gateway.py:12)": the thread's innermost function of the script that the
 * process was started with, but not its outermost level. False: none is known. */
bool stack_wait_put_own(struct buffer *out, const struct diagnosis_input *input,
	const struct process_entry *process, uint32_t tid);
/* Appends the program's function, "job (b12.py:6)"; nothing if it is not known. */
void stack_wait_put_within(struct buffer *out, const struct stack_wait *wait);
void stack_wait_put_function(struct buffer *out, struct span name, struct span file);
/* Returns whether a Python name is a method: "Condition.wait" is "wait"; a file is
 * "threading.py:288". */
bool stack_wait_is_method(struct span name, const char *method);
bool stack_wait_is_file(struct span file, const char *name);
/* Returns whether both stacks wait in the same function of the program, at the same line. */
bool stack_wait_is_same(const struct stack_wait *a, const struct stack_wait *b);

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds functions of Python on a stack by frames of the interpreter. Kernel and user space share
 * this code, like unwind_step.h. */
#pragma once

#include "bpf/python.h"
#include "bpf/unwind_step.h"

#define PYTHON_THREADS_MAX 32
#define PYTHON_STEPS_MAX   (PROFILE_STACK_WORDS / 3 + 32) /* also frames without a function */

static inline uint64_t python_current(
	struct walk *w, const struct python_layout *l, uint64_t interpreter)
{
	return word_at(w, (l->is_current_of_runtime ? w->own.state : interpreter) + l->current);
}

#define PTHREAD_TID 720 /* in the thread of a pthread_t: glibc 2.4 to 2.42, x86-64 */

/* Returns whether a state is that of a thread. `id` 0: its pthread_t leads to the thread id. */
static inline bool is_thread(
	struct walk *w, const struct python_layout *l, uint64_t thread, uint32_t id, uint64_t self)
{
#ifndef __bpf__ /* the kernel side knows the thread's pointer */
	if (!id)
		return (uint32_t)word_at(w, word_at(w, thread + l->thread_id) + PTHREAD_TID) ==
		       self;
#else
	(void)l;
#endif
	return word_at(w, thread + id) == self;
}

/* Returns the state of this thread, which may run without the interpreter's lock. `id`: offset of
 * the number by which states are searched. */
static inline uint64_t python_thread(
	struct walk *w, const struct python_layout *l, uint32_t id, uint64_t self)
{
	uint64_t interpreter = word_at(w, w->own.state + l->interpreters);
	uint64_t thread = interpreter ? python_current(w, l, interpreter) : 0;

	if (thread && is_thread(w, l, thread, id, self))
		return thread;
	thread = interpreter ? word_at(w, interpreter + l->threads) : 0;
	for (int i = 0; i < PYTHON_THREADS_MAX && interpreter; i++) {
		if (thread && is_thread(w, l, thread, id, self))
			return thread;
		if (thread)
			thread = word_at(w, thread + l->next_thread);
		if (thread)
			continue;
		interpreter = word_at(w, interpreter + l->next_interpreter);
		thread = interpreter ? word_at(w, interpreter + l->threads) : 0;
	}
	return 0;
}

/* Notes that the walk is at a frame of the interpreter. */
static inline void python_meet(struct walk *w, const struct profile_python *p)
{
	w->own.file = w->mapping.file;
	w->own.state = w->mapping.shift + p->runtime;
	w->own.type = w->mapping.shift + p->code_type;
}

static inline bool put_python(
	struct walk *w, const struct python_layout *l, uint64_t code, uint64_t frame, bool is_entry)
{
	uint32_t at = walk_own_at(w), line = 0;
	uint64_t unit = 0;

	if (word_at(w, code + PYTHON_OBJECT_TYPE) != w->own.type ||
		!walk_read(w, &line, sizeof(line), code + l->code_line))
		return false;
	if (l->frame_unit)
		unit = (word_at(w, frame + l->frame_unit) - code) & PYTHON_UNIT_MASK;
	w->tail[at] = code;
	w->tail[at + 1] = word_at(w, code + l->code_name);
	w->tail[at + 2] = line | (is_entry ? PYTHON_IS_ENTRY : 0) | unit << PYTHON_UNIT_SHIFT;
	w->own.words += 3;
	return true;
}

/* Puts a frame of the interpreter; false: it cannot be read, or is none. */
static inline bool put_interpreter_frame(
	struct walk *w, const struct python_layout *l, uint64_t frame)
{
	uint8_t mark = 0;

	if (!walk_read(w, &mark, sizeof(mark), frame + l->frame_mark))
		return false;
	if (!l->entry_mark || mark != l->entry_mark)
		return w->own.words < PROFILE_STACK_WORDS &&
		       put_python(w, l, word_at(w, frame + l->frame_code) & ~PYTHON_TAG, frame,
			       !l->entry_mark && mark);
	/* Without a function above it the innermost call has not begun one. */
	if (w->own.words > PYTHON_HEAD_WORDS)
		w->tail[(walk_own_at(w) - 1) & WALK_TAIL_MASK] |= PYTHON_IS_ENTRY;
	return true;
}

/* Finds the innermost frame of the thread that `self` stands for. */
static inline void python_begin(
	struct walk *w, const struct python_layout *l, uint32_t id, uint64_t self)
{
	uint64_t thread = python_thread(w, l, id, self);
	uint64_t frame = thread ? word_at(w, thread + l->thread_frame) : 0;

	if (l->has_record && frame)
		frame = word_at(w, frame + l->record_frame);
	w->own.frame = frame;
	w->own.words = PYTHON_HEAD_WORDS;
}

/* Puts a frame and steps to its caller; false: there is none, or it cannot be read. */
static inline bool python_up(struct walk *w, const struct python_layout *l)
{
	uint64_t frame = w->own.frame;

	if (!frame || !put_interpreter_frame(w, l, frame))
		return false;
	w->own.frame = word_at(w, frame + l->frame_previous);
	return true;
}

static inline void python_end(struct walk *w)
{
	uint32_t words = (uint32_t)w->own.words;
	uint32_t at = (walk_own_at(w) - words) & WALK_TAIL_MASK;

	w->tail[at] =
		profile_words_head(PROFILE_OF_STACK, RUNTIME_python, words - 1, !w->own.frame);
	w->tail[at + 1] = w->own.file;
	w->tail[at + 2] = w->own.type;
}

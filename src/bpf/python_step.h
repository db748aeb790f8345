/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Functions of Python 3.11 on a stack, by the interpreter's own frames: the same in the kernel and
 * in user space, as unwind_step.h. */
#ifndef SOOTH_BPF_PYTHON_STEP_H
#define SOOTH_BPF_PYTHON_STEP_H

#include "bpf/unwind_step.h"

#define PYTHON_THREADS_MAX 32

/* pythoncore of 3.11: Include/internal/pycore_runtime.h, pycore_interp.h, pycore_frame.h and
 * Include/cpython/pystate.h, code.h; the same in 3.11.2 and 3.11.7, 64-bit. */
#define RUNTIME_MAIN	   48  /* _PyRuntimeState.interpreters.main */
#define RUNTIME_CURRENT	   576 /* .gilstate.tstate_current */
#define INTERPRETER_FIRST  16  /* PyInterpreterState.threads.head */
#define THREAD_NEXT	   8   /* PyThreadState.next */
#define THREAD_CFRAME	   56
#define THREAD_ID	   152
#define THREAD_NATIVE	   160
#define CFRAME_CURRENT	   8
#define FRAME_CODE	   32 /* _PyInterpreterFrame.f_code */
#define OBJECT_TYPE	   8

struct python_frame { /* from FRAME_CODE on */
	uint64_t code, object, previous, instruction;
	uint32_t stack_top;
	uint8_t is_entry, owner, unused[2];
};

static inline uint64_t word_at(struct walk *w, uint64_t address)
{
	uint64_t word = 0;

	read_word(w, &word, address);
	return word;
}

/* The state of this thread: it may be running without the interpreter's lock. */
static inline uint64_t python_thread(struct walk *w, uint64_t runtime, uint64_t self)
{
	uint64_t thread = word_at(w, runtime + RUNTIME_CURRENT);

	if (thread && word_at(w, thread + THREAD_ID) == self)
		return thread;
	thread = word_at(w, word_at(w, runtime + RUNTIME_MAIN) + INTERPRETER_FIRST);
	for (int i = 0; i < PYTHON_THREADS_MAX && thread; i++) {
		if (word_at(w, thread + THREAD_ID) == self)
			return thread;
		thread = word_at(w, thread + THREAD_NEXT);
	}
	return 0;
}

static inline bool put_python(struct walk *w, uint32_t number, const struct python_frame *f)
{
	uint32_t at = 2 * w->frames + w->raw.kernel_frames + 3 * number;
	uint32_t line = 0;

	if (word_at(w, f->code + OBJECT_TYPE) != w->raw.python_type ||
		!walk_read(w, &line, sizeof(line), f->code + PYTHON_CODE_LINE))
		return false;
	w->tail[at & (PROFILE_TAIL_WORDS - 1)] = f->code;
	w->tail[(at + 1) & (PROFILE_TAIL_WORDS - 1)] = word_at(w, f->code + PYTHON_CODE_NAME);
	w->tail[(at + 2) & (PROFILE_TAIL_WORDS - 1)] =
		line | (f->is_entry ? PYTHON_IS_ENTRY : 0);
	return true;
}

/* Of the thread with this thread pointer, behind the other frames. */
static inline void python_frames(struct walk *w, uint64_t self)
{
	struct python_frame f;
	uint64_t frame = python_thread(w, w->python_runtime, self);

	frame = frame ? word_at(w, word_at(w, frame + THREAD_CFRAME) + CFRAME_CURRENT) : 0;
	for (uint32_t i = 0; i < PYTHON_FRAMES_MAX && frame; i++) {
		if (!walk_read(w, &f, sizeof(f), frame + FRAME_CODE) || !put_python(w, i, &f))
			break;
		w->raw.python_frames = i + 1;
		frame = f.previous;
	}
	w->raw.is_python_whole = !frame;
}

#endif

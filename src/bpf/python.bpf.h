/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions of Python 3.11 on a stack: the interpreter's own frames, from its state of this thread.
 * What is read of a code object here, at the sample, has to be the same when its name is read.
 */
#ifndef SOOTH_BPF_PYTHON_BPF_H
#define SOOTH_BPF_PYTHON_BPF_H

#include "bpf/unwind.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PYTHON_FILES_MAX);
	__type(key, uint64_t); /* profile_file_key() */
	__type(value, struct profile_python);
} pythons SEC(".maps");

#define PYTHON_THREADS_MAX 32

/* pythoncore of 3.11: Include/internal/pycore_runtime.h, pycore_interp.h, pycore_frame.h and
 * Include/cpython/pystate.h, code.h; the same in 3.11.2 and 3.11.7, 64-bit. */
#define RUNTIME_MAIN	   48  /* _PyRuntimeState.interpreters.main */
#define RUNTIME_CURRENT	   576 /* .gilstate.tstate_current */
#define INTERPRETER_FIRST  16  /* PyInterpreterState.threads.head */
#define THREAD_NEXT	   8   /* PyThreadState.next */
#define THREAD_CFRAME	   56
#define THREAD_ID	   152
#define CFRAME_CURRENT	   8
#define FRAME_CODE	   32 /* _PyInterpreterFrame.f_code */
#define OBJECT_TYPE	   8

struct python_frame { /* from FRAME_CODE on */
	uint64_t code, object, previous, instruction;
	uint32_t stack_top;
	uint8_t is_entry, owner, unused[2];
};

/* Whether w's frame is the interpreter's; then it is remembered where its state is. */
static inline void meet_python(struct walk *w, uint64_t offset)
{
	struct profile_python *p = bpf_map_lookup_elem(&pythons, &w->mapping.file);

	if (!p || offset < p->eval_from || offset >= p->eval_to)
		return;
	w->python_runtime = w->mapping.shift + p->runtime;
	w->raw.python_type = w->mapping.shift + p->code_type;
}

#if defined(__TARGET_ARCH_x86)
static inline uint64_t thread_pointer(void)
{
	return BPF_CORE_READ(current_task(), thread.fsbase);
}
#else
static inline uint64_t thread_pointer(void)
{
	return 0; /* not supported */
}
#endif

static inline uint64_t word_at(uint64_t address)
{
	uint64_t word = 0;

	read_word(&word, address);
	return word;
}

/* The state of this thread: it may be running without the interpreter's lock. */
static inline uint64_t python_thread(uint64_t runtime, uint64_t self)
{
	uint64_t thread = word_at(runtime + RUNTIME_CURRENT);

	if (thread && word_at(thread + THREAD_ID) == self)
		return thread;
	thread = word_at(word_at(runtime + RUNTIME_MAIN) + INTERPRETER_FIRST);
	for (int i = 0; i < PYTHON_THREADS_MAX && thread; i++) {
		if (word_at(thread + THREAD_ID) == self)
			return thread;
		thread = word_at(thread + THREAD_NEXT);
	}
	return 0;
}

static inline bool put_python(struct walk *w, uint32_t number, const struct python_frame *f)
{
	uint32_t at = 2 * w->frames + w->raw.kernel_frames + 3 * number;
	uint32_t line = 0;

	if (word_at(f->code + OBJECT_TYPE) != w->raw.python_type ||
		bpf_probe_read_user(&line, sizeof(line), (void *)(f->code + PYTHON_CODE_LINE)))
		return false;
	w->tail[at & (PROFILE_TAIL_WORDS - 1)] = f->code;
	w->tail[(at + 1) & (PROFILE_TAIL_WORDS - 1)] = word_at(f->code + PYTHON_CODE_NAME);
	w->tail[(at + 2) & (PROFILE_TAIL_WORDS - 1)] =
		line | (f->is_entry ? PYTHON_IS_ENTRY : 0);
	return true;
}

/* Of w's thread, behind the other frames. */
VERIFIED_ALONE_BY_NUMBERS int walk_python(uint32_t unused)
{
	struct walk *w = walk_here();
	uint64_t self = thread_pointer(), frame;
	struct python_frame f;

	if (!w || !w->python_runtime || !self)
		return 0;
	frame = python_thread(w->python_runtime, self);
	frame = frame ? word_at(word_at(frame + THREAD_CFRAME) + CFRAME_CURRENT) : 0;
	for (uint32_t i = 0; i < PYTHON_FRAMES_MAX && frame; i++) {
		if (bpf_probe_read_user(&f, sizeof(f), (void *)(frame + FRAME_CODE)) ||
			!put_python(w, i, &f))
			break;
		w->raw.python_frames = i + 1;
		frame = f.previous;
	}
	w->raw.is_python_whole = !frame;
	return 0;
}

#endif

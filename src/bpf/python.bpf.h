/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds functions of Python on a stack: frames of the interpreter, from its state of this thread.
 * The words of a code object that are read here, at the sample, must be unchanged when its name is
 * read.
 */
#pragma once

#include "bpf/unwind.bpf.h"
#include "bpf/python_step.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RUNTIME_FILES_MAX);
	__type(key, uint64_t); /* profile_file_key() */
	__type(value, struct profile_python);
} pythons SEC(".maps");

/* Notes where the interpreter's state is, if the frame of `w` belongs to the interpreter. */
static inline void note_interpreter(struct walk *w, uint64_t offset)
{
	struct profile_python *p = bpf_map_lookup_elem(&pythons, &w->mapping.file);

	if (!p || !python_is_eval(p, offset))
		return;
	python_meet(w, p);
#ifdef WALK_NOTES
	w->notes.own_here = 1;
#endif
}

/* Finds the number by which the states of threads are searched, and returns its offset; 0: there is
 * none. On x86-64 the pthread_t is the thread pointer. On aarch64 it is below it by a size that
 * only the C library knows: there it is the id in the thread's own namespace, from Python 3.11 on.
 */
#if defined(__TARGET_ARCH_x86)
static inline uint32_t thread_number(const struct python_layout *l, uint64_t *self)
{
	*self = BPF_CORE_READ(current_task(), thread.fsbase);
	return *self ? l->thread_id : 0;
}
#else
static inline uint32_t thread_number(const struct python_layout *l, uint64_t *self)
{
	const struct pid *pid = BPF_CORE_READ(current_task(), thread_pid);
	const struct upid *number = number_at(pid, BPF_CORE_READ(pid, level));

	*self = (uint32_t)BPF_CORE_READ(number, nr);
	return l->native_id;
}
#endif

/* Reads one frame. Inside the loop below, this code would be verified for each iteration. */
VERIFIED_ALONE_BY_NUMBERS int next_python(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	struct profile_python *p;

	if (!w)
		return 0;
	p = bpf_map_lookup_elem(&pythons, &w->own.file);
	return p && python_up(w, &p->layout);
}

/* Adds the frames of Python of the walk's thread, behind the other frames. */
VERIFIED_ALONE_BY_NUMBERS int walk_python(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	struct profile_python *p;
	uint64_t self;
	uint32_t id;

	if (!w || !w->own.file)
		return 0;
	p = bpf_map_lookup_elem(&pythons, &w->own.file);
	id = p ? thread_number(&p->layout, &self) : 0;
	if (!id)
		return 0;
	python_begin(w, &p->layout, id, self);
	for (uint32_t i = 0; i < PYTHON_STEPS_MAX; i++) {
		if (!next_python(walk))
			break;
	}
	python_end(w);
	return 0;
}

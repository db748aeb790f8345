/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Functions of JavaScript on a stack of V8: the engine keeps the context and the function below
 * each frame pointer. They are followed to what has the name, and each object on the way must be of
 * its type: the same in the kernel and in user space, as python_step.h.
 */
#ifndef SOOTH_BPF_V8_STEP_H
#define SOOTH_BPF_V8_STEP_H

#include "bpf/python_step.h"

#define V8_TAG	     1 /* of a pointer to an object; so is the mask */
#define V8_TAG_MASK  3
#define V8_TYPE_NONE 0xffffffffu
#define V8_KINDS_MAX 128 /* of frames without a function */

static inline uint32_t v8_type_of(struct walk *w, const struct profile_v8 *v8, uint64_t object)
{
	uint64_t map = 0;
	uint16_t type;

	if ((object & V8_TAG_MASK) == V8_TAG)
		map = word_at(w, object - V8_TAG);
	if ((map & V8_TAG_MASK) != V8_TAG ||
		!walk_read(w, &type, sizeof(type), map - V8_TAG + v8->map_type))
		return V8_TYPE_NONE;
	return type;
}

static inline bool v8_is_builtin(const struct walk *w, const struct profile_v8 *v8)
{
	uint64_t offset = w->address - w->mapping.shift;

	return w->mapping.file == w->raw.js_file && offset >= v8->builtins_from &&
	       offset < v8->builtins_to;
}

static inline void v8_put(struct walk *w, const struct profile_raw_js *f)
{
	uint32_t at = (w->raw.js_frames & (PROFILE_FRAMES_MAX - 1)) * JSC_FRAME_WORDS;

	w->js[at] = f->index | (uint64_t)f->call_site << 32;
	w->js[at + 1] = f->block;
	w->js[at + 2] = f->callee;
	w->js[at + 3] = f->executable;
	w->js[at + 4] = f->name;
	w->raw.js_frames++;
}

/* The frame that w is at, before it is counted. */
static inline void v8_frame(struct walk *w, const struct profile_v8 *v8)
{
	struct profile_raw_js f = { .index = w->frames, .call_site = w->is_exact ? V8_IS_TOP : 0 };
	bool is_builtin = v8_is_builtin(w, v8);
	uint64_t context, function;
	uint32_t type;

	/* A frame that is not complete has words of former calls there. */
	if ((w->mapping.file != PROFILE_FILE_NONE && !is_builtin) ||
		w->raw.js_frames >= PROFILE_FRAMES_MAX || !take_fp(w) ||
		w->sp > w->fp + v8->fp_function ||
		!read_word(w, &context, w->fp + v8->fp_context) ||
		!read_word(w, &function, w->fp + v8->fp_function))
		return;
	if (is_builtin)
		f.call_site |= V8_IS_BUILTIN;
	if (!(context & V8_TAG)) {
		if (is_builtin || context >= 2 * V8_KINDS_MAX)
			return;
		f.call_site |= V8_IS_KIND;
		f.callee = context / 2;
		v8_put(w, &f);
		return;
	}
	type = v8_type_of(w, v8, context);
	if (type < v8->context_first || type > v8->context_last)
		return;
	type = v8_type_of(w, v8, function);
	if (type < v8->function_first || type > v8->function_last)
		return;
	f.executable = word_at(w, function - V8_TAG + v8->function_shared);
	if (v8_type_of(w, v8, f.executable) != v8->shared)
		return;
	f.name = word_at(w, f.executable - V8_TAG + v8->shared_name);
	f.callee = word_at(w, f.executable - V8_TAG + v8->shared_script);
	v8_put(w, &f);
}

#endif

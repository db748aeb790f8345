/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds functions of JavaScript on a stack of V8, which keeps the context and the function below
 * each frame pointer. They lead to the object with the name, and each object on the way must have
 * its type. Kernel and user space share this code, like python_step.h.
 */
#pragma once

#include "bpf/javascript.h"
#include "bpf/unwind_step.h"

#define V8_TAG	     1 /* tag of a pointer to an object; so is the mask */
#define V8_TAG_MASK  3
#define V8_TYPE_NONE 0xffffffffu
#define V8_KINDS_MAX 128 /* kinds of frames without a function */

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

	return w->mapping.file == w->raw.engine && offset >= v8->builtins_from &&
	       offset < v8->builtins_to;
}

static inline void v8_put(
	struct walk *w, uint32_t bits, uint64_t callee, uint64_t executable, uint64_t name)
{
	walk_put_beside(w, profile_words_head(w->frames, RUNTIME_v8, JAVASCRIPT_WORDS, bits), 0,
		callee, executable, name);
}

/* Looks at the current frame of `w`, before it is counted. */
static inline void v8_frame(struct walk *w, const struct profile_v8 *v8)
{
	bool is_builtin = v8_is_builtin(w, v8);
	uint32_t bits = (w->is_exact ? V8_IS_TOP : 0) | (is_builtin ? V8_IS_BUILTIN : 0);
	uint64_t context, function, shared, name;
	uint32_t type;

	/* An incomplete frame still has words of earlier calls. */
	if ((w->mapping.file != PROFILE_FILE_NONE && !is_builtin) ||
		w->besides >= PROFILE_FRAMES_MAX || !read_fp(w) ||
		w->sp > w->fp + v8->fp_function ||
		!read_word(w, &context, w->fp + v8->fp_context) ||
		!read_word(w, &function, w->fp + v8->fp_function))
		return;
	if (!(context & V8_TAG)) {
		if (!is_builtin && context < 2 * V8_KINDS_MAX)
			v8_put(w, bits | V8_IS_KIND, context / 2, 0, 0);
		return;
	}
	type = v8_type_of(w, v8, context);
	if (type < v8->context_first || type > v8->context_last)
		return;
	type = v8_type_of(w, v8, function);
	if (type < v8->function_first || type > v8->function_last)
		return;
	shared = word_at(w, function - V8_TAG + v8->function_shared);
	if (v8_type_of(w, v8, shared) != v8->shared)
		return;
	name = word_at(w, shared - V8_TAG + v8->shared_name);
	v8_put(w, bits, word_at(w, shared - V8_TAG + v8->shared_script), shared, name);
}

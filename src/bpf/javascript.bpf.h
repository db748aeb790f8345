/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds functions of JavaScript on a stack. JavaScriptCore keeps the code block and the function
 * beside each frame pointer, and both lead to the same executable; V8 is in v8_step.h. This code
 * follows these objects at the sample; user space reads the name only if all objects are unchanged.
 */
#pragma once

#include "bpf/unwind.bpf.h"
#include "bpf/v8_step.h"

#define JAVASCRIPT_KNOWN (1ULL << RUNTIME_jsc | 1ULL << RUNTIME_v8)

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RUNTIME_FILES_MAX);
	__type(key, uint64_t); /* profile_file_key() of the executable */
	__type(value, struct profile_jsc);
} jscs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RUNTIME_FILES_MAX);
	__type(key, uint64_t); /* as above */
	__type(value, struct profile_v8);
} v8s SEC(".maps");

#define JSC_CELL_MASK	    0xffff000000000007ULL /* never set in the address of a cell */
#define JSC_CELL_TYPE(head) ((uint32_t)((head) >> 40) & 0xff)

/* Begins a walk: finds the file of the process that has an engine, if it is known. */
static inline void begin_javascript(struct walk *w)
{
	struct mm_struct *mm = (void *)w->mm;
	struct inode *inode;

	inode = BPF_CORE_READ(mm, exe_file, f_inode);
	w->raw.engine =
		profile_file_key(BPF_CORE_READ(inode, i_sb, s_dev), BPF_CORE_READ(inode, i_ino));
	if (!bpf_map_lookup_elem(&jscs, &w->raw.engine) &&
		!bpf_map_lookup_elem(&v8s, &w->raw.engine))
		w->raw.engine = 0;
}

static inline uint64_t executable_of(struct walk *w, const struct profile_jsc *jsc, uint64_t callee)
{
	uint64_t executable;

	if (!callee || callee & JSC_CELL_MASK ||
		JSC_CELL_TYPE(word_at(w, callee)) != jsc->function_type)
		return 0;
	executable = word_at(w, callee + jsc->callee_executable);
	/* A set bit marks extra data that few functions have; it leads to the executable. */
	return executable & 1 ? word_at(w, (executable & ~1ULL) + jsc->rare_executable)
			      : executable;
}

static inline bool read_slots(struct walk *w, struct jsc_slots *slots)
{
	uint64_t counts, at = w->fp + JSC_SLOTS_AT;

	if (!read_word(w, &slots->block, at) || !read_word(w, &slots->callee, at + 8) ||
		!read_word(w, &counts, at + 16))
		return false;
	slots->arguments = (uint32_t)counts;
	slots->call_site = (uint32_t)(counts >> 32);
	return true;
}

/* Looks at the current frame of the walk, before it is counted. */
VERIFIED_ALONE_BY_NUMBERS int meet_javascript(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	struct profile_jsc *jsc;
	struct jsc_slots slots;
	uint64_t executable, owner, name;

	if (!w)
		return 0;
	jsc = bpf_map_lookup_elem(&jscs, &w->raw.engine);
	if (!jsc || w->besides >= PROFILE_FRAMES_MAX ||
		(w->mapping.file != PROFILE_FILE_NONE &&
			!jsc_is_interpreter(jsc, w->address - w->mapping.shift)) ||
		!read_fp(w) || !read_slots(w, &slots))
		return 0;
	executable = executable_of(w, jsc, slots.callee);
	owner = slots.block && !(slots.block & JSC_CELL_MASK)
			? word_at(w, slots.block + jsc->block_owner)
			: 0;
	if (owner)
		name = word_at(
			w, word_at(w, owner + jsc->executable_unlinked) + jsc->unlinked_name);
	else
		name = executable ? word_at(w, executable + jsc->native_name) : 0;
	walk_put_beside(w,
		profile_words_head(w->frames, RUNTIME_jsc, JAVASCRIPT_WORDS, slots.call_site),
		slots.block, slots.callee,
		(owner ? owner : executable) | (owner && owner == executable ? JSC_IS_PAIR : 0),
		name);
	return 0;
}

/* Does the same for V8. */
VERIFIED_ALONE_BY_NUMBERS int meet_v8(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	struct profile_v8 *v8;

	if (!w)
		return 0;
	v8 = bpf_map_lookup_elem(&v8s, &w->raw.engine);
	if (v8)
		v8_frame(w, v8);
	return 0;
}

#ifdef WALK_NOTES
/* Hashes only the objects that name the function, because others differ between closures. Without a
 * mark the executable belongs to no function, or to one of the engine's own functions, which are
 * made at their first call. */
static inline uint64_t hash_of_beside(const struct walk *w, uint64_t number)
{
	const uint64_t *js = &w->beside[(number & (PROFILE_FRAMES_MAX - 1)) * PROFILE_FRAME_WORDS];
	uint64_t hash = mix_hash(js[3], js[4]);

	if (js[3] & JSC_IS_PAIR) /* or the tag that V8 has in each address */
		return w->mapping.file == PROFILE_FILE_NONE ? mix_hash(hash, js[0] >> 32) : hash;
	if (js[1])
		return 0;
	return js[2] < V8_KINDS_MAX ? mix_hash(js[4], js[2]) : js[4];
}
#endif

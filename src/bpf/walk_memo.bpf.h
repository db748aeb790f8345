/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stacks that were walked before. A walk depends on the registers at its start and on the words of
 * the stack that it read: where all of these are the same, it would find the same frames. So the
 * words of a walk are kept, and comparing them takes a tenth of walking again.
 *
 * Only a walk that reached the start of its thread and read nothing but its stack is kept; code
 * that was mapped or unmapped since, by the loader or an exec, makes all of them invalid.
 */
#ifndef SOOTH_BPF_WALK_MEMO_BPF_H
#define SOOTH_BPF_WALK_MEMO_BPF_H

struct walk_memo {
	uint64_t mm, pc, sp, fp, link;
	uint64_t hash; /* of the frames, as hash_walk() leaves it */
	uint64_t python_runtime, python_type, python_file;
	uint32_t frames;
	uint32_t generation;
	uint32_t count;
	uint32_t is_claimed;
	struct walk_word words[WALK_WORDS_MAX];
};

#define MEMOS 1024 /* a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMOS);
	__type(key, uint32_t);
	__type(value, struct walk_memo);
} memos SEC(".maps");

uint32_t memo_generation SEC(".data.memos") = 1; /* 0: a memo that was never made */

static inline void forget_walks(void)
{
	__sync_fetch_and_add(&memo_generation, 1);
}

/* It differs, too, once another interpreter is known. */
static inline uint32_t generation_now(void)
{
	return memo_generation + (uint32_t)(walks_control.pythons << 20) +
	       (uint32_t)(walks_control.jscs << 26);
}

/* That of the walk's registers, and of the word at its stack pointer: the caller, on x86-64. */
static inline struct walk_memo *memo_of(const struct walk *w)
{
	uint64_t hash = (w->notes.near[0] ^ w->link) * 0x9e3779b97f4a7c15ULL ^ w->sp ^ w->pc << 20;
	uint32_t index;

	hash *= 0x9e3779b97f4a7c15ULL;
	index = (uint32_t)(hash >> 40) & (MEMOS - 1);
	return bpf_map_lookup_elem(&memos, &index);
}

/* Whether the stack has the same words as then. */
static inline bool has_same_words(struct walk *w, const struct walk_memo *m)
{
	for (uint32_t i = 0; i < WALK_WORDS_MAX && i < m->count; i++) {
		uint32_t offset = m->words[i].offset;
		uint64_t now;

		if (offset < sizeof(w->notes.near))
			now = w->notes.near[offset / 8 & (WALK_NEAR_WORDS - 1)];
		else if (bpf_probe_read_user(&now, sizeof(now), (const void *)(w->sp + offset)))
			return false;
		if (now != m->words[i].value)
			return false;
	}
	return true;
}

/* Whether the walk from these registers was made before: then w has its hash. */
VERIFIED_ALONE_BY_NUMBERS int recall_walk(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	struct walk_memo *m;
	int is_same;

	if (!w || bpf_probe_read_user(w->notes.near, sizeof(w->notes.near), (const void *)w->sp))
		return 0;
	m = memo_of(w);
	if (!m || m->generation != generation_now() || !claim(&m->is_claimed))
		return 0;
	is_same = m->generation == generation_now() && m->mm == w->mm && m->pc == w->pc &&
		  m->sp == w->sp && m->fp == w->fp && m->link == w->link && has_same_words(w, m);
	if (is_same) {
		w->address = m->hash;
		w->frames = m->frames;
		w->python_runtime = m->python_runtime;
		w->raw.python_type = m->python_type;
		w->raw.python_file = m->python_file;
		w->raw.js_frames = w->raw.kernel_frames = w->raw.python_frames = 0;
	}
	asm volatile("" : : : "memory");
	m->is_claimed = 0;
	return is_same;
}

/* Keeps the walk, which began at the registers in its notes; `generation` was read before it. */
VERIFIED_ALONE_BY_NUMBERS int keep_walk(uint32_t walk, uint32_t generation)
{
	struct walk *w = walk_at(walk);
	struct walk_memo *m;
	uint32_t count;

	if (!w || w->notes.is_spoiled || w->end != PROFILE_WHOLE || w->raw.js_frames)
		return 0;
	w->pc = w->notes.pc;
	w->sp = w->notes.sp;
	w->fp = w->notes.fp;
	w->link = w->notes.link;
	m = memo_of(w);
	if (!m || !claim(&m->is_claimed))
		return 0;
	m->mm = w->mm;
	m->pc = w->pc;
	m->sp = w->sp;
	m->fp = w->fp;
	m->link = w->link;
	m->hash = w->notes.hash;
	m->frames = w->frames;
	m->python_runtime = w->python_runtime;
	m->python_type = w->raw.python_type;
	m->python_file = w->raw.python_file;
	count = w->notes.count;
	for (uint32_t i = 0; i < WALK_WORDS_MAX && i < count; i++)
		m->words[i] = w->notes.words[i];
	m->count = count;
	m->generation = generation;
	asm volatile("" : : : "memory");
	m->is_claimed = 0;
	return 1;
}

#endif

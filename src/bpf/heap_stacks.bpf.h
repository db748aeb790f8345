/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Walks the stack of an allocator's caller at the beginning of the call. A stack crosses to user
 * space only once, with its hash; later calls only have the hash.
 *
 * Since Linux 6.0 programs on user functions can be preempted: each walk claims memory of its CPU.
 */
#pragma once

#define WALKS_OF_CPU HEAP_WALKS_OF_CPU
#ifndef THREADS_IN_HASH /* the verifier of 5.10 would give up */
#define WALK_NOTES
#endif
#include "bpf/walk_user.bpf.h"

struct walk_memos memos SEC(".data.memos") = { .generation = 1 };

#ifdef WALK_NOTES
#include "bpf/walk_memo.bpf.h"
#endif

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HEAP_STACKS_SENT);
	__type(key, uint64_t);
	__type(value, uint32_t);
} sent_stacks SEC(".maps");

#ifdef WITH_SUMS
#define INTEREST_OF_STACKS INTEREST_COUNT
#else
#define INTEREST_OF_STACKS INTEREST_STREAM
#endif

#define TAIL_WORDS (sizeof(((struct walk *)0)->tail) / sizeof(uint64_t))

static inline struct walk *claim_walk(void)
{
	for (uint32_t i = 0; i < HEAP_WALKS_OF_CPU; i++) {
		struct walk *w = walk_at(i);

		if (w && claim_flag(&w->is_claimed)) {
			w->index = i;
			return w;
		}
	}
	return 0;
}

static inline void release_walk(struct walk *w)
{
	/* All writes of the walk have to come before this. */
	asm volatile("" : : : "memory");
	w->is_claimed = 0;
}

/* Adds the words from `from` up to `to` to the hash in w->address. */
VERIFIED_ALONE_BY_NUMBERS int hash_walk(uint32_t walk, uint32_t from, uint32_t to)
{
	struct walk *w = walk_at(walk);
	uint64_t hash;

	if (!w)
		return 0;
	hash = w->address;
	for (uint32_t i = 0; i < TAIL_WORDS; i++) {
		uint32_t at = from + i;

		/* Else the compiler counts in pointers, without bounds for the verifier. */
		asm volatile("" : "+r"(at));
		if (at >= TAIL_WORDS || at >= to)
			break;
		hash = (hash ^ w->tail[at]) * HASH_FACTOR;
		hash ^= hash >> 29;
	}
	w->address = hash ? hash : 1;
	return 0;
}

/* Hashes all frames, and how the walk ended. */
static inline void hash_all(struct walk *w, uint32_t words)
{
#ifdef WALK_NOTES
	uint32_t native = w->frames * FRAME_WORDS;

	w->address = w->notes.hash;
	hash_walk(w->index, native, native + (uint32_t)w->own.words);
#else
	w->address = w->end + 1;
	hash_walk(w->index, 0, words);
#endif
}

#define NAMES_WAIT_NS 1000000

uint64_t woken_ns SEC(".data.woken") = 0;

/* Returns flags of a wake-up: names of scripts are read from the process, which may end soon. */
static inline uint64_t names_flags(void)
{
	uint64_t now = bpf_ktime_get_ns();

	if (now - woken_ns < NAMES_WAIT_NS)
		return ring_flags();
	woken_ns = now;
	return BPF_RB_FORCE_WAKEUP;
}

/* Sends what the walk found, unless it was sent before. */
static inline void send_walk(struct walk *w, struct task_struct *task, const struct member *m)
{
	uint32_t bytes = finish(w, task, m), one = 1;
	uint64_t hash, flags;

	if (bytes > sizeof(w->tail))
		bytes = sizeof(w->tail);
	hash_all(w, bytes / 8);
	hash = w->address;
	if (bpf_map_lookup_elem(&sent_stacks, &hash))
		return;
	w->raw.hash = hash;
	send_runtime_names(w);
	flags = w->raw.words ? names_flags() : ring_flags();
	if (bpf_ringbuf_output(&ring, &w->raw, sizeof(w->raw) + bytes, flags))
		__sync_fetch_and_add(&control.lost_stacks, 1);
	else
		bpf_map_update_elem(&sent_stacks, &hash, &one, BPF_ANY);
}

#ifdef WALK_NOTES
#define NONE_KEPT KEPT_WALKS

/* Claims the last walk of the thread, for this call only. */
static inline uint32_t claim_kept(const struct member *m)
{
	uint32_t kept = m->tid * 0x9e3779b1u >> 16 & (KEPT_WALKS - 1);
	struct kept_walk *k = kept_at(kept);

	return k && claim_flag(&k->is_claimed) ? kept : NONE_KEPT;
}

static inline void begin_engines(struct walk *w, const struct kept_walk *k)
{
	if (k && w->notes.above)
		w->raw.engine = k->engine;
	else
		begin_runtimes(w);
}

static inline void continue_from_kept(struct walk *w, const struct kept_walk *k, uint32_t above)
{
	const struct walk_step *s = &k->steps[(above - 1) & (PROFILE_FRAMES_MAX - 1)];

	w->address = s->hash;
	if (s->has_own)
		w->own = k->own;
}

/* Returns whether the stack ends with a stack that was walked before, and was sent as a whole. */
static inline __attribute__((always_inline)) bool is_known_stack(
	struct walk *w, struct kept_walk *k, uint32_t kept)
{
	uint32_t above;
	uint64_t hash;

	if (!is_of_thread(w, k))
		return false;
	w->notes.above = k->frames;
	begin_engines(w, k);
	above = (uint32_t)walk_to_kept(w->index, kept);
	if (!above)
		return false;
	continue_from_kept(w, k, above);
	hash_steps(w->index);
	w->notes.hash = w->address;
	w->notes.is_noting = 0;
	if (w->frames)
		keep_walk(w, k, kept, above);
	walk_runtimes(w);
	hash_all(w, 0);
	hash = w->address;
	return bpf_map_lookup_elem(&sent_stacks, &hash) != 0;
}

static inline __attribute__((always_inline)) void walk_again(struct walk *w,
	struct task_struct *task, const struct member *m, struct pt_regs *regs, uint32_t kept)
{
	struct kept_walk *k = kept_at(kept);

	w->notes.hash = 0;
	if (begin_walk(w, task, m, regs)) {
		begin_notes(w);
		begin_engines(w, 0);
		walk_to_kept(w->index, kept);
		w->notes.is_noting = 0;
	}
	w->address = w->end + 1;
	hash_steps(w->index);
	w->notes.hash = w->address;
	if (k)
		keep_walk(w, k, kept, 0);
	walk_runtimes(w);
	send_walk(w, task, m);
	__sync_fetch_and_add(&memos.walked, 1);
}

/* Returns whether to walk a recognized stack again, as an occasional check. */
static inline bool is_to_be_checked(struct kept_walk *k)
{
	if (++k->recalled & (MEMO_CHECK - 1))
		return false;
	__sync_fetch_and_add(&memos.recognised, MEMO_CHECK);
	return true;
}

static inline __attribute__((always_inline)) uint64_t stack_of(
	struct walk *w, struct task_struct *task, const struct member *m, struct pt_regs *regs)
{
	uint32_t kept = claim_kept(m);
	struct kept_walk *k = kept_at(kept);
	uint64_t known = 0;

	if (k && begin_walk(w, task, m, regs)) {
		begin_notes(w);
		if (is_known_stack(w, k, kept))
			known = w->address;
	}
	if (!known || is_to_be_checked(k)) {
		walk_again(w, task, m, regs, kept);
		if (known) {
			__sync_fetch_and_add(&memos.checked, 1);
			if (known != w->address)
				__sync_fetch_and_add(&memos.differing, 1);
		}
	}
	if (k) {
		asm volatile("" : : : "memory");
		k->is_claimed = 0;
	}
	return w->address;
}
#else
static inline uint64_t stack_of(
	struct walk *w, struct task_struct *task, const struct member *m, struct pt_regs *regs)
{
	walk_user(w, task, m, regs);
	walk_runtimes(w);
	send_walk(w, task, m);
	return w->address;
}
#endif

static inline void set_call_stack(struct thread *t, struct pt_regs *regs)
{
	struct task_struct *task = current_task();
	struct walk *w;

	t->stack_hash = 0;
	if (!(t->member.interest & INTEREST_OF_STACKS))
		return;
	w = claim_walk();
	if (!w) {
		__sync_fetch_and_add(&control.unwalked, 1);
		return;
	}
	t->stack_hash = stack_of(w, task, &t->member, regs);
	release_walk(w);
}

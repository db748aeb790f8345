/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The stack of an allocator's caller, walked where the call begins. A stack crosses to user space
 * once, under its hash; the call that follows has the hash only.
 *
 * Programs on user functions are preempted, from Linux 6.0 on: each walk claims memory of its CPU.
 */
#ifndef SOOTH_BPF_HEAP_STACKS_BPF_H
#define SOOTH_BPF_HEAP_STACKS_BPF_H

#define WALKS_OF_CPU HEAP_WALKS_OF_CPU
#ifndef THREADS_IN_HASH /* the verifier of 5.10 gives up on more */
#define WALK_NOTES
#endif
#include "bpf/walk_user.bpf.h"
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

#define HASH_FACTOR 0x9e3779b97f4a7c15ULL
#define TAIL_WORDS  (sizeof(((struct walk *)0)->tail) / sizeof(uint64_t))

static inline struct walk *claim_walk(void)
{
	for (uint32_t i = 0; i < HEAP_WALKS_OF_CPU; i++) {
		struct walk *w = walk_at(i);

		if (w && claim(&w->is_claimed)) {
			w->index = i;
			return w;
		}
	}
	return 0;
}

static inline void release_walk(struct walk *w)
{
	/* All that the walk wrote comes before it. */
	asm volatile("" : : : "memory");
	w->is_claimed = 0;
}

/* Of the words between these, added to w->address. */
VERIFIED_ALONE_BY_NUMBERS int hash_walk(uint32_t walk, uint32_t from, uint32_t to)
{
	struct walk *w = walk_at(walk);
	uint64_t hash;

	if (!w)
		return 0;
	hash = w->address;
	for (uint32_t i = 0; i < TAIL_WORDS; i++) {
		uint32_t at = from + i;

		/* Else the compiler counts in pointers, whose bounds the verifier does not know. */
		asm volatile("" : "+r"(at));
		if (at >= TAIL_WORDS || at >= to)
			break;
		hash = (hash ^ w->tail[at]) * HASH_FACTOR;
		hash ^= hash >> 29;
	}
	w->address = hash ? hash : 1;
	return 0;
}

/* Of all frames, and of how the walk ended. */
static inline void hash_all(struct walk *w, uint32_t words)
{
	uint32_t native = w->frames * FRAME_WORDS;

	w->address = w->end + 1;
	hash_walk(w->index, 0, native);
#ifdef WALK_NOTES
	w->notes.hash = w->address;
#endif
	hash_walk(w->index, native, words);
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
	/* Names of scripts are read from the process, which may end soon. */
	flags = w->raw.python_frames || w->raw.js_frames ? BPF_RB_FORCE_WAKEUP : ring_flags();
	if (bpf_ringbuf_output(&ring, &w->raw, sizeof(w->raw) + bytes, flags))
		__sync_fetch_and_add(&control.lost_stacks, 1);
	else
		bpf_map_update_elem(&sent_stacks, &hash, &one, BPF_ANY);
}

#ifdef WALK_NOTES
/* Whether the stack is one that was walked and sent before. */
static inline bool is_known_stack(struct walk *w, struct task_struct *task, struct pt_regs *regs)
{
	uint64_t hash;

	w->mm = (uint64_t)BPF_CORE_READ(task, mm);
	if (!w->mm || !begin_at(w, regs))
		return false;
	w->notes.pc = w->pc;
	w->notes.sp = w->sp;
	w->notes.fp = w->fp;
	w->notes.link = w->link;
	if (!recall_walk(w->index))
		return false;
	if (w->python_runtime) {
		walk_python(w->index);
		hash_walk(w->index, w->frames * FRAME_WORDS,
			w->frames * FRAME_WORDS + 3 * w->raw.python_frames);
	}
	hash = w->address;
	return bpf_map_lookup_elem(&sent_stacks, &hash) != 0;
}

static inline void walk_again(
	struct walk *w, struct task_struct *task, struct thread *t, struct pt_regs *regs)
{
	uint32_t generation = generation_now();

	w->notes.count = w->notes.is_spoiled = 0;
	w->notes.is_noting = 1;
	walk_user(w, task, &t->member, regs);
	w->notes.is_noting = 0;
	walk_python(w->index);
	send_walk(w, task, &t->member);
	t->stack_hash = w->address;
	keep_walk(w->index, generation);
}
#else
#define is_known_stack(w, task, regs) false

static inline void walk_again(
	struct walk *w, struct task_struct *task, struct thread *t, struct pt_regs *regs)
{
	walk_user(w, task, &t->member, regs);
	walk_python(w->index);
	send_walk(w, task, &t->member);
	t->stack_hash = w->address;
}
#endif

static inline void take_stack(struct thread *t, struct pt_regs *regs)
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
	if (is_known_stack(w, task, regs))
		t->stack_hash = w->address;
	else
		walk_again(w, task, t, regs);
	release_walk(w);
}

#endif

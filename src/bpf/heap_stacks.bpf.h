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
#include "bpf/walk_user.bpf.h"

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

/* Of all frames, and of how the walk ended. */
VERIFIED_ALONE_BY_NUMBERS int hash_walk(uint32_t walk, uint32_t words)
{
	struct walk *w = walk_at(walk);
	uint64_t hash;

	if (!w)
		return 0;
	hash = w->end + 1;
	for (uint32_t i = 0; i < sizeof(w->tail) / sizeof(w->tail[0]) && i < words; i++) {
		hash = (hash ^ w->tail[i]) * HASH_FACTOR;
		hash ^= hash >> 29;
	}
	w->address = hash ? hash : 1;
	return 0;
}

/* Sends what the walk found, unless it was sent before. */
static inline void send_walk(struct walk *w, struct task_struct *task, const struct member *m)
{
	uint32_t bytes = finish(w, task, m), one = 1;
	uint64_t hash, flags;

	if (bytes > sizeof(w->tail))
		bytes = sizeof(w->tail);
	hash_walk(w->index, bytes / 8);
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
	walk_user(w, task, &t->member, regs);
	walk_python(w->index);
	send_walk(w, task, &t->member);
	t->stack_hash = w->address;
	release_walk(w);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds wrong frees: the block is already free, or no allocator returned the address. Only certain
 * errors are reported: blocks allocated before the observation are unknown, and may be freed.
 *
 * An address inside a known live block is a certain error in any process, because no older block
 * can be there, unless two allocators are involved: one may divide a block of the other.
 */
#pragma once

#define BAD_FREES_MAX	256	    /* reports of a thread, which could go on for ever */
#define STACK_BYTES_MAX (64u << 20) /* from the start of the first thread's stack */
#define ALIGNMENT_LEAST 8	    /* least alignment of any block */
#define BLOCK_STEP	16	    /* alignment of blocks that have room for another address */
#define BLOCK_STEPS	256  /* steps that are searched: an address further inside is not found */
#define SEARCHES_MAX	1024 /* of a thread, whose freed blocks may all be older */
#define ALLOCATOR_BYTES (256u << 10) /* size of the code of an allocator */

/* Returns whether the address is in a used frame of the first thread's stack. Stacks of other
 * threads may lie among blocks. */
static inline int is_on_stack(uint64_t address, uint64_t stack)
{
	struct task_struct *task = current_task();
	uint64_t start = BPF_CORE_READ(task, mm, start_stack);

	return address >= stack && address < start && start - stack < STACK_BYTES_MAX;
}

static inline void emit_bad_free(
	struct thread *t, uint64_t address, uint32_t what, const struct heap_freed *freed)
{
	struct heap_bad_free *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	uint64_t now = bpf_ktime_get_ns();

	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_records, 1);
		return;
	}
	record_fill(&r->record, &t->member, HEAP_BAD_FREE, RECORD_WORDS(struct heap_bad_free), now);
	r->address = address;
	r->size = freed ? freed->size : 0;
	r->freed_ago_ns = freed ? now - freed->time_ns : 0;
	r->stack_hash = t->stack_hash;
	r->what = (uint8_t)what;
	r->block_state = !freed; /* SOOTH_STATE_ABSENT */
	__builtin_memset(r->unused, 0, sizeof(r->unused));
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

/* Returns whether the address is inside a live block of the allocator with that code. */
VERIFIED_ALONE int is_inside(struct thread *t, uint64_t address, uint64_t code)
{
	struct heap_block_key key;
	struct heap_block_kept *b;

	if (!t || control.sample_bytes || t->searches >= SEARCHES_MAX)
		return 0;
	t->searches++;
	key = block_key(t, (address - 1) & ~(BLOCK_STEP - 1ull));
	for (int i = 0; i < BLOCK_STEPS; i++) {
		b = bpf_map_lookup_elem(&live_blocks, &key);
		if (b)
			return address - key.address < b->size &&
			       code - b->code + ALLOCATOR_BYTES <= 2 * ALLOCATOR_BYTES;
		key.address -= BLOCK_STEP;
	}
	return 0;
}

/* Checks the free or realloc of a block that is not among the live ones. */
static inline __attribute__((always_inline)) void judge_free(
	struct thread *t, struct pt_regs *regs, uint64_t address)
{
	struct heap_block_key key = block_key(t, address);
	struct heap_freed *known, freed = { 0 };
	uint32_t what;

	if (!control.checks_frees || t->bad_frees >= BAD_FREES_MAX)
		return;
	known = bpf_map_lookup_elem(&freed_blocks, &key);
	if (known) {
		freed = *known;
		what = HEAP_FREED_TWICE;
	} else if (address % ALIGNMENT_LEAST) {
		what = HEAP_FREED_INSIDE;
	} else if (is_on_stack(address, CALL_STACK(regs))) {
		what = HEAP_FREED_STACK;
	} else if (is_inside(t, address, CALL_ADDRESS(regs))) {
		what = HEAP_FREED_INSIDE;
	} else {
		return;
	}
	t->bad_frees++;
	set_call_stack(t, regs);
	emit_bad_free(t, address, what, known ? &freed : 0);
}

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Frees that are errors: of a block that is free already, and of what no allocator gave. Only what
 * is certain is reported: a block of before the observation is not known, and freeing it is right.
 */
#ifndef SOOTH_BPF_HEAP_FREES_BPF_H
#define SOOTH_BPF_HEAP_FREES_BPF_H

#define BAD_FREES_MAX	256	    /* of a thread; it may go on for ever */
#define STACK_BYTES_MAX (64u << 20) /* from the start of the first thread's stack */
#define ALIGNMENT_LEAST 8	    /* of any block of any allocator */

/* Whether the address is in the stack of the first thread, in a frame that is in use. The stack of
 * another thread may lie among its blocks. */
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

/* A block that is not among the live ones is freed, or resized. */
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
	} else {
		return;
	}
	t->bad_frees++;
	take_stack(t, regs);
	emit_bad_free(t, address, what, known ? &freed : 0);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Aggregates allocations by stack and size class as they happen, so that no call crosses to user
 * space. A block is known by its address from its allocation to its free. Blocks that find no room
 * are counted, and the values of their process stay as right as possible: the free of an unknown
 * block cannot be seen.
 *
 * A realloc frees its block when it is entered, before another thread can get the address, and
 * takes it back if it fails.
 */
#pragma once

/* Tracing programs can safely allocate at run time since 6.1. On an older kernel user space makes a
 * smaller, preallocated table. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HEAP_BLOCK_ENTRIES);
	__type(key, struct heap_block_key);
	__type(value, struct heap_block_kept);
} live_blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, HEAP_SUM_ENTRIES);
	__type(key, struct heap_sum_key);
	__type(value, struct heap_sum_value);
} sums SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEAP_HELD_ENTRIES);
	__type(key, struct heap_held_key);
	__type(value, struct heap_held_value);
} held SEC(".maps");

/* Freed blocks; the least recent ones are forgotten. User space makes room if they are
 * requested. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, struct heap_block_key);
	__type(value, struct heap_freed);
} freed_blocks SEC(".maps");

/* User space makes room where it may be needed. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct heap_met);
} met SEC(".maps");

struct heap_samples samples SEC(".data.samples") = {};

#define ADD(member_, value_) __sync_fetch_and_add(&(member_), (value_))

static inline uint32_t program_of(struct thread *t)
{
	if (!t->program)
		t->program = (uint32_t)BPF_CORE_READ(current_task(), self_exec_id) + 1;
	return t->program;
}

static inline struct heap_held_value *held_of(struct thread *t)
{
	struct heap_held_key key = { t->member.start_ticks, t->member.pid, program_of(t) };
	struct heap_held_value *value = bpf_map_lookup_elem(&held, &key), none = { 0 };

	t->is_held = value != 0;
	if (value)
		return value;
	none.is_forked = (TASK_READ(current_task(), flags) & PF_FORKNOEXEC) != 0;
	bpf_map_update_elem(&held, &key, &none, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&held, &key);
	if (!value)
		ADD(control.unheld, 1);
	return value;
}

static inline uint32_t sampled_size(const struct heap_block_kept *block)
{
	return block->is_sample ? sampled_size_of(block->size) : 0;
}

static inline __attribute__((always_inline)) struct heap_sum_key sum_key(
	struct thread *t, const struct heap_block_kept *block)
{
	return (struct heap_sum_key){ block->stack_hash, t->member.start_ticks, t->member.pid,
		program_of(t), size_class_of(block->size), sampled_size(block) };
}

static inline struct heap_block_key block_key(struct thread *t, uint64_t address)
{
	return (struct heap_block_key){ address, t->member.pid, program_of(t) };
}

/* Returns the number of live blocks with the same hash of the address. Most freed blocks are no
 * samples, and this saves two searches in hashes, a tenth of the cost of malloc and free. */
static inline uint32_t *same_hash_count(uint64_t address)
{
	uint64_t hash = (address >> 3) * 0x9e3779b97f4a7c15ULL;

	return &samples.alike[hash >> (64 - HEAP_ALIKE_BITS)];
}

static inline bool counts_alike(void)
{
	return control.sample_bytes || control.may_sample;
}

/* Returns the entry for an address in this process and program; `at`: its byte in the entry. */
static inline struct heap_met *met_of(struct thread *t, uint64_t address, uint32_t *at)
{
	uint64_t owner = (uint64_t)program_of(t) << 32 | t->member.pid;
	uint64_t hash = ((address >> 3) ^ owner * 0xff51afd7ed558ccdULL) * 0x9e3779b97f4a7c15ULL;
	uint32_t entry = (uint32_t)(hash >> 32) & (HEAP_MET_ENTRIES - 1);

	*at = (uint32_t)(hash >> 52) & (HEAP_MET_BYTES - 1);
	return bpf_map_lookup_elem(&met, &entry);
}

static inline void note_known_block(struct thread *t, uint64_t address)
{
	uint32_t at;
	struct heap_met *m = met_of(t, address, &at);

	if (m)
		m->is_met[at & (HEAP_MET_BYTES - 1)] = 1;
}

/* Returns whether an unknown block was allocated before the observation, if that is known. */
static inline bool is_older(struct thread *t, uint64_t address)
{
	uint32_t at;
	struct heap_met *m;

	if (!control.sample_bytes)
		return true;
	m = control.may_sample ? met_of(t, address, &at) : 0;
	return m && !m->is_met[at & (HEAP_MET_BYTES - 1)];
}

/* Removes a block from the live ones, into t->taken. 0: it was not among them. */
VERIFIED_ALONE int sum_free(struct thread *t, uint64_t address)
{
	struct heap_sum_value *sum;
	struct heap_block_key key;
	struct heap_held_value *h;
	struct heap_block_kept *b;
	struct heap_sum_key of;

	if (control.sample_bytes && t && t->is_held && !*same_hash_count(address) &&
		!is_older(t, address))
		return 0;
	h = t ? held_of(t) : 0;
	if (!h)
		return 0;
	key = block_key(t, address);
	b = bpf_map_lookup_elem(&live_blocks, &key);
	if (!b) {
		if (is_older(t, address))
			ADD(h->frees_unknown, 1);
		return 0;
	}
	t->taken = *b;
	t->was_short = 0;
	if (!bpf_map_delete_elem(&live_blocks, &key) && counts_alike())
		ADD(*same_hash_count(address), -1u);
	if (control.checks_frees) {
		struct heap_freed freed = { bpf_ktime_get_ns(), t->taken.size };

		bpf_map_update_elem(&freed_blocks, &key, &freed, BPF_ANY);
	}
	ADD(h->live_bytes, -t->taken.size);
	ADD(h->live_blocks, -1ull);
	ADD(h->freed_bytes, t->taken.size);
	of = sum_key(t, &t->taken);
	sum = t->taken.stack_hash ? bpf_map_lookup_elem(&sums, &of) : 0;
	if (!sum)
		return 1;
	ADD(sum->freed_blocks, 1);
	ADD(sum->freed_bytes, t->taken.size);
	if (bpf_ktime_get_ns() - t->taken.time_ns < HEAP_SHORT_NS) {
		t->was_short = 1;
		ADD(sum->short_blocks, 1);
		ADD(sum->short_bytes, t->taken.size);
	}
	return 1;
}

static inline void hold_block(struct heap_held_value *h, const struct heap_block_kept *block)
{
	uint64_t live;

	ADD(h->live_blocks, 1);
	ADD(h->live_bytes, block->size);
	live = *(volatile uint64_t *)&h->live_bytes;
	if ((int64_t)live > (int64_t)h->peak_bytes)
		h->peak_bytes = live; /* not atomic: of two threads the smaller may win */
}

/* Adds the block in t->taken to the sum of its stack; without room it is in no sum. */
static inline struct heap_sum_value *add_to_sum(struct thread *t, struct heap_held_value *h)
{
	struct heap_block_kept *b = &t->taken;
	struct heap_sum_value *sum = 0, none = { 0 };
	struct heap_sum_key key = sum_key(t, b);

	if (b->stack_hash) {
		sum = bpf_map_lookup_elem(&sums, &key);
		if (!sum) {
			bpf_map_update_elem(&sums, &key, &none, BPF_NOEXIST);
			sum = bpf_map_lookup_elem(&sums, &key);
		}
	}
	if (sum) {
		ADD(sum->calls, 1);
		ADD(sum->allocated_bytes, b->size);
	} else {
		b->stack_hash = 0;
		ADD(h->unsummed_blocks, 1);
		ADD(h->unsummed_bytes, b->size);
	}
	return sum;
}

static inline int keep_block(const struct heap_block_key *key, const struct heap_block_kept *block)
{
	int status = (int)bpf_map_update_elem(&live_blocks, key, block, BPF_NOEXIST);

	if (!status && counts_alike())
		ADD(*same_hash_count(key->address), 1u);
	return status;
}

static inline int put_block(struct thread *t, uint64_t address)
{
	struct heap_block_key key = block_key(t, address);
	struct heap_block_kept block = t->taken, *old;

	if (control.checks_frees)
		bpf_map_delete_elem(&freed_blocks, &key);
	if (!keep_block(&key, &block))
		return 0;
	/* Either the free of the block at this address was missed, or there is no room. */
	old = bpf_map_lookup_elem(&live_blocks, &key);
	if (!old)
		return -1;
	sum_free(t, address);
	t->taken = block;
	return keep_block(&key, &block);
}

/* Stores the block of the thread's call. */
static inline void store_call_block(struct thread *t, uint64_t now)
{
	t->taken.size = t->size;
	t->taken.is_sample = t->is_sample;
	t->taken.time_ns = now;
	t->taken.stack_hash = t->stack_hash;
	t->taken.code = t->code;
}

VERIFIED_ALONE int sum_allocation(struct thread *t, uint64_t address, uint64_t now)
{
	struct heap_held_value *h = t ? held_of(t) : 0;
	struct heap_sum_value *sum;

	if (!h)
		return 0;
	if (control.may_sample)
		note_known_block(t, address);
	store_call_block(t, now);
	sum = add_to_sum(t, h);
	if (!put_block(t, address)) {
		hold_block(h, &t->taken);
		return 0;
	}
	ADD(h->untracked_blocks, 1);
	ADD(h->untracked_bytes, t->taken.size);
	/* The sum does not count it as live, because its free will not be seen. */
	if (sum) {
		ADD(sum->freed_blocks, 1);
		ADD(sum->freed_bytes, t->taken.size);
	}
	return 0;
}

/* Adds a sample whose address is unknown: its sum does not count it as live. */
VERIFIED_ALONE int sum_unfollowed(struct thread *t, uint64_t now)
{
	struct heap_held_value *h = t ? held_of(t) : 0;
	struct heap_sum_value *sum;

	if (!h)
		return 0;
	store_call_block(t, now);
	sum = add_to_sum(t, h);
	if (sum) {
		ADD(sum->freed_blocks, 1);
		ADD(sum->freed_bytes, t->size);
	}
	return 0;
}

/* --- samples --- */

VERIFIED_ALONE int draw_gap(struct thread *t)
{
	if (!t)
		return 0;
	t->gap = sample_gap(control.sample_bytes, bpf_get_prandom_u32());
	t->has_gap = 1;
	return 0;
}

/* Returns whether the beginning call is a sample, or all calls are counted. */
static inline int is_sampled(struct thread *t)
{
	uint64_t size = t->size ? t->size : 1;

	t->is_sample = control.sample_bytes != 0;
	if (!t->is_sample)
		return 1;
	if (!t->has_gap)
		draw_gap(t);
	if (t->gap >= size) {
		t->gap -= size;
		return 0;
	}
	draw_gap(t);
	return 1;
}

/* Begins a call. */
static inline void sum_begins(struct thread *t)
{
	bool moves = t->function == HEAP_REALLOC || t->function == HEAP_REALLOCARRAY;

	t->has_moved = 0;
	if (!moves || !t->old_address || !(t->member.interest & INTEREST_COUNT))
		return;
	t->has_moved = (uint32_t)sum_free(t, t->old_address);
	t->moved = t->taken;
	t->moved_was_short = t->was_short;
}

/* Returns the block of a failed realloc to the live ones. */
VERIFIED_ALONE int sum_stays(struct thread *t)
{
	struct heap_held_value *h = t ? held_of(t) : 0;
	struct heap_sum_value *sum;
	struct heap_sum_key key;

	if (!h || !t->has_moved)
		return 0;
	t->taken = t->moved;
	if (put_block(t, t->old_address))
		return 0;
	hold_block(h, &t->taken);
	ADD(h->freed_bytes, -t->taken.size);
	key = sum_key(t, &t->taken);
	sum = bpf_map_lookup_elem(&sums, &key);
	if (sum) {
		ADD(sum->freed_blocks, -1ull);
		ADD(sum->freed_bytes, -t->taken.size);
	}
	if (sum && t->moved_was_short) {
		ADD(sum->short_blocks, -1ull);
		ADD(sum->short_bytes, -t->taken.size);
	}
	return 0;
}

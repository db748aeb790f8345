/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream has allocations in the order of returns, and frees in the order of calls. So an
 * address is allocated again only after its free, with one exception: a realloc frees the old block
 * long before it returns. Meanwhile another thread may get that address, and even free it; its
 * malloc then finds the old block still live. The replaced block is remembered for a while, so that
 * the realloc can claim it. */
#include "analyze/heap/heap_live.h"

#include <string.h>

#include "analyze/heap/heap_functions.h"
#include "analyze/records.h"
#include "bpf/log2.h"
#include "model/batch.h"
#include "model/probe.h"
#include "model/schema.h"

#define HEAP_PROCESSES_MAX 65536
#define HEAP_STACKS_MAX	   (1u << 20)
#define HEAP_PARTS_MAX	   (1u << 20)
#define HEAP_GROUPS_MAX	   (1u << 20)

void heap_live_init(struct heap_live *l, size_t blocks_max)
{
	*l = (struct heap_live){ .blocks_max = blocks_max, .peak_number = 1 };
	map_init(&l->processes, sizeof(struct process_id), sizeof(struct heap_process),
		HEAP_PROCESSES_MAX);
	map_init(&l->stacks, sizeof(uint32_t), sizeof(struct heap_stack_sum), HEAP_STACKS_MAX);
	map_init(&l->parts, sizeof(struct heap_part_key), sizeof(struct heap_part), HEAP_PARTS_MAX);
	heap_estimates_init(&l->estimates);
	map_init(&l->groups.all, sizeof(struct heap_group_key), sizeof(struct heap_group),
		HEAP_GROUPS_MAX);
}

static void fini_blocks(struct heap_process *p)
{
	map_fini(&p->blocks);
	map_fini(&p->foreign);
}

void heap_live_fini(struct heap_live *l)
{
	map_for_each_value (&l->processes, void *, value)
		fini_blocks(value);
	map_fini(&l->processes);
	map_fini(&l->stacks);
	map_fini(&l->parts);
	heap_estimates_fini(&l->estimates);
	map_fini(&l->groups.all);
	l->last = NULL;
}

struct heap_process *heap_live_process(struct heap_live *l, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	bool is_new;

	if (l->last && !memcmp(&id, &l->last_id, sizeof(id)))
		return l->last;
	l->last = map_put(&l->processes, &id, &is_new);
	if (!l->last) {
		l->refused++;
		return NULL;
	}
	l->last_id = id;
	if (is_new) {
		map_init(&l->last->blocks, sizeof(uint64_t), sizeof(struct heap_block),
			l->blocks_max);
		map_init(&l->last->foreign, sizeof(uint64_t), 0, l->blocks_max);
		l->last->origin = l->is_launched ? HEAP_FROM_EXEC : HEAP_FROM_BEFORE;
		l->present++;
	}
	return l->last;
}

/* --- blocks --- */

static struct heap_stack_sum *stack_of(struct heap_live *l, uint32_t stack)
{
	return stack ? map_get(&l->stacks, &stack) : NULL;
}

unsigned heap_live_window(struct heap_live *l, uint64_t time_ns)
{
	unsigned fold, window;

	if (!l->stacks.count)
		return 0;
	window = heap_clock_window(&l->clock, time_ns, &fold);
	map_for_each_value (map_while(fold, &l->stacks), struct heap_stack_sum *, value) {
		for (unsigned i = 0; i < fold; i++)
			heap_gains_fold(&value->gains);
	}
	for (; fold; fold--)
		heap_gains_fold(&l->older);
	return window;
}

static struct heap_part *part_of(struct heap_live *l, uint32_t stack, uint64_t size)
{
	struct heap_part_key key = {
		.process = l->last_id, .stack = stack, .size_class = size_class_of(size)
	};

	return l->with_parts ? map_put(&l->parts, &key, NULL) : NULL;
}

/* Returns the group of a block of the current process; NULL: not requested, or no room. */
static struct heap_group *group_of(struct heap_live *l, uint32_t tid, uint64_t size)
{
	struct heap_group_key key = { .value = size };

	if (l->groups.by == HEAP_GROUPS_BY_THREAD)
		key = (struct heap_group_key){ l->last_id, tid };
	return l->groups.by ? map_put(&l->groups.all, &key, NULL) : NULL;
}

struct heap_at_peak heap_live_at_peak(const struct heap_live *l, const struct heap_stack_sum *stack)
{
	if (stack->at_peak.number == l->peak_number)
		return stack->at_peak;
	return (struct heap_at_peak){ stack->live_bytes - stack->gone_bytes,
		stack->live_blocks - stack->gone_blocks, l->peak_number };
}

static void note_peak(const struct heap_live *l, struct heap_stack_sum *stack)
{
	stack->at_peak = heap_live_at_peak(l, stack);
}

void heap_live_gain(const struct heap_live *l, struct heap_stack_sum *stack, uint64_t bytes,
	uint64_t blocks, unsigned window)
{
	note_peak(l, stack);
	stack->live_bytes += bytes;
	stack->live_blocks += blocks;
	heap_gain_add(&stack->gains.bytes[window], bytes);
	heap_gain_add(&stack->gains.blocks[window], blocks);
}

/* Adds a block to what its stack, part and group hold; `count` is 1, or minus 1 to remove it. */
static void change_sums(
	struct heap_live *l, const struct heap_block *b, uint64_t count, uint64_t time_ns)
{
	unsigned window = heap_live_window(l, time_ns);
	struct heap_stack_sum *stack = stack_of(l, b->stack);
	struct heap_part *part = part_of(l, b->stack, b->size);
	struct heap_group *group = group_of(l, b->tid, b->size);

	if (stack)
		heap_live_gain(l, stack, count * b->size, count, window);
	if (part) {
		part->live_bytes += count * b->size;
		part->live_blocks += count;
	}
	if (group) {
		group->live_bytes += count * b->size;
		group->live_blocks += count;
	}
}

static void remove_from_stack(struct heap_live *l, const struct heap_block *b, uint64_t time_ns)
{
	change_sums(l, b, (uint64_t)-1, time_ns);
}

static void count_allocated_block(
	struct heap_live *l, struct heap_process *p, const struct heap_block *b)
{
	p->live_bytes += b->size;
	l->bytes += b->size;
	change_sums(l, b, 1, b->time_ns);
	if (p->live_bytes > p->peak_bytes)
		p->peak_bytes = p->live_bytes;
	if (l->bytes > l->peak_bytes) {
		l->peak_bytes = l->bytes;
		l->peak_ns = b->time_ns;
		l->peak_number++;
	}
}

static void count_free(struct heap_live *l, const struct heap_block *b, uint64_t time_ns)
{
	struct heap_stack_sum *stack = stack_of(l, b->stack);

	if (!stack)
		return;
	stack->freed_blocks++;
	stack->freed_bytes += b->size;
	if (time_ns - b->time_ns < HEAP_SHORT_NS) {
		stack->short_blocks++;
		stack->short_bytes += b->size;
	}
}

static void count_freed_block(
	struct heap_live *l, struct heap_process *p, const struct heap_block *b, uint64_t time_ns)
{
	p->live_bytes -= b->size;
	l->bytes -= b->size;
	remove_from_stack(l, b, time_ns);
	count_free(l, b, time_ns);
}

/* Returns the stack of a call; 0: not known. */
static uint32_t heap_call_stack(const struct heap_call *c)
{
	bool has_stack =
		record_holds(&c->record, sizeof(*c)) && c->stack_state == SOOTH_STATE_VALUE;

	return has_stack ? c->stack : 0;
}

static struct heap_block block_of(const struct heap_call *c)
{
	return (struct heap_block){ c->size, c->record.time_ns, heap_call_stack(c), c->record.tid };
}

static void note_handover(
	struct heap_live *l, const struct heap_block *old, uint64_t address, uint64_t time_ns)
{
	l->replaced_blocks++;
	l->replaced_bytes += old->size;
	l->handovers[l->handover_count++ % HEAP_HANDOVERS_MAX] = (struct heap_handover){
		.process = l->last_id, .address = address, .size = old->size, .time_ns = time_ns
	};
}

/* Returns whether the block was replaced since `since_ns`, which means that it was freed. */
static bool was_replaced_since(struct heap_live *l, uint64_t address, uint64_t since_ns)
{
	size_t count =
		l->handover_count < HEAP_HANDOVERS_MAX ? l->handover_count : HEAP_HANDOVERS_MAX;

	for (size_t i = 1; i <= count; i++) {
		struct heap_handover *h =
			&l->handovers[(l->handover_count - i) % HEAP_HANDOVERS_MAX];

		if (h->address != address || h->time_ns < since_ns ||
			memcmp(&h->process, &l->last_id, sizeof(h->process)) != 0)
			continue;
		l->replaced_blocks--;
		l->replaced_bytes -= h->size;
		l->freed_bytes += h->size;
		*h = (struct heap_handover){ 0 };
		return true;
	}
	return false;
}

static void add_block(struct heap_live *l, struct heap_process *p, const struct heap_call *c)
{
	struct heap_block *b = map_get(&p->blocks, &c->address);

	if (b) {
		count_freed_block(l, p, b, c->record.time_ns);
		note_handover(l, b, c->address, c->record.time_ns);
	} else if (l->blocks < l->blocks_max) {
		b = map_put(&p->blocks, &c->address, NULL);
		l->blocks += b != NULL;
	}
	if (!b) {
		l->refused++;
		return;
	}
	*b = block_of(c);
	p->live_blocks = p->blocks.count;
	count_allocated_block(l, p, b);
}

/* Notes the free of an unknown block. A second free of an address means that a call was missed. */
static void note_foreign_free(
	struct heap_live *l, struct heap_process *p, uint64_t address, uint64_t time_ns)
{
	bool is_first = false;

	if (p->origin == HEAP_FROM_BEFORE && !map_put(&p->foreign, &address, &is_first))
		is_first = true; /* the map is full, so this is unknown */
	if (p->origin == HEAP_FROM_FORK) {
		l->frees_inherited++;
	} else if (is_first) {
		l->frees_from_before++;
		heap_gain_add(&l->older.blocks[heap_live_window(l, time_ns)], 1);
	} else {
		l->frees_unknown++;
	}
}

/* Drops the block that was live at `since_ns`; a later block at that address is kept. */
static void drop_block(
	struct heap_live *l, struct heap_process *p, uint64_t address, uint64_t since_ns)
{
	struct heap_block *b = map_get(&p->blocks, &address);

	if (b && b->time_ns <= since_ns) {
		count_freed_block(l, p, b, since_ns);
		l->freed_bytes += b->size;
		map_remove(&p->blocks, &address);
		p->live_blocks = p->blocks.count;
		l->blocks--;
	} else if (!was_replaced_since(l, address, since_ns)) {
		note_foreign_free(l, p, address, since_ns);
	}
}

/* Resizes a block in place: no other call had that address meanwhile. */
static void resize_block(struct heap_live *l, struct heap_process *p, const struct heap_call *c)
{
	struct heap_block *b = map_get(&p->blocks, &c->address);

	if (!b) {
		note_foreign_free(l, p, c->address, c->record.time_ns);
		add_block(l, p, c);
		return;
	}
	count_freed_block(l, p, b, c->record.time_ns);
	l->freed_bytes += b->size;
	*b = block_of(c);
	count_allocated_block(l, p, b);
}

static void apply_call(struct heap_live *l, struct heap_process *p, const struct heap_call *c)
{
	uint64_t begin_ns = c->record.time_ns - c->duration_ns;
	bool has_old = c->old_address_state == SOOTH_STATE_VALUE && c->old_address;

	if (c->function == HEAP_FREE) {
		if (c->address)
			drop_block(l, p, c->address, c->record.time_ns);
	} else if (heap_call_failed(c)) {
		return; /* the old block of the realloc stays */
	} else if (has_old && c->old_address == c->address) {
		resize_block(l, p, c);
	} else {
		/* realloc(p, 0) may return NULL, and then frees p. */
		if (has_old && (c->address || c->error_state != SOOTH_STATE_VALUE))
			drop_block(l, p, c->old_address, begin_ns);
		if (c->address)
			add_block(l, p, c);
	}
}

/* --- records --- */

static void count_stack(struct heap_live *l, const struct heap_call *c)
{
	struct heap_stack_sum *sum;
	struct heap_part *part = part_of(l, heap_call_stack(c), c->size);
	struct heap_group *group = group_of(l, c->record.tid, c->size);

	if (part) {
		part->calls++;
		part->allocated_bytes += c->size;
	}
	if (group) {
		group->calls++;
		group->allocated_bytes += c->size;
	}
	if (!record_holds(&c->record, sizeof(*c)))
		return;
	sum = c->stack_state == SOOTH_STATE_VALUE ? map_put(&l->stacks, &c->stack, NULL) : NULL;
	if (!sum) {
		l->unstacked++;
		return;
	}
	sum->calls++;
	sum->allocated_bytes += c->size;
}

static void add_call(struct heap_live *l, const struct heap_call *c)
{
	struct heap_process *p = heap_live_process(l, &c->record);

	if (!p)
		return;
	p->seen.events++;
	if (c->function != HEAP_FREE && !heap_call_failed(c)) {
		p->seen.allocated_bytes += c->size;
		count_stack(l, c);
	}
	if (!p->has_left)
		apply_call(l, p, c);
}

static void add_counts(struct heap_live *l, const struct heap_count *c)
{
	struct heap_process *p = heap_live_process(l, &c->record);

	if (!p)
		return;
	p->counted.events += c->count;
	p->counted.allocated_bytes += c->bytes;
}

/* Drops all blocks of a process. */
static void drop_blocks(struct heap_live *l, struct heap_process *p)
{
	l->blocks -= p->blocks.count;
	l->bytes -= p->live_bytes;
	fini_blocks(p);
}

static void set_process_name(struct heap_process *p, const char name[PROCESS_NAME_SIZE])
{
	memcpy(p->name, name, sizeof(p->name));
}

static void handle_join(struct heap_live *l, const struct process_join *join)
{
	struct heap_process *p = heap_live_process(l, &join->record);

	if (!p)
		return;
	if (!p->seen.events)
		p->origin = HEAP_FROM_FORK;
	set_process_name(p, join->name);
}

void heap_live_end_parts(struct heap_live *l, uint32_t before, uint64_t time_ns)
{
	map_for_each (&l->parts, const struct heap_part_key *, k, struct heap_part *, part) {
		struct heap_stack_sum *stack = stack_of(l, k->stack);
		unsigned window = heap_live_window(l, time_ns);

		if (k->program >= before ||
			memcmp(&k->process, &l->last_id, sizeof(k->process)) != 0)
			continue;
		if (stack)
			heap_live_gain(
				l, stack, 0 - part->live_bytes, 0 - part->live_blocks, window);
		part->live_bytes = part->live_blocks = 0;
	}
}

/* Ends a program. The kernel's aggregates about it may still come. */
static void end_program(struct heap_live *l, struct heap_process *p, uint64_t time_ns)
{
	p->over_program = p->program > p->held_program ? p->program : p->held_program;
	p->over_bytes = p->live_bytes;
	p->over_blocks = p->live_blocks;
	if (p->over_program)
		heap_live_end_parts(l, p->over_program + 1, time_ns);
}

static void handle_exec(struct heap_live *l, const struct process_exec *exec)
{
	struct heap_process *p = heap_live_process(l, &exec->record);

	if (!p || p->has_left)
		return;
	map_for_each_value (map_while((l->stacks.count || l->groups.by), &p->blocks), void *, block)
		remove_from_stack(l, block, exec->record.time_ns);
	end_program(l, p, exec->record.time_ns);
	l->exec_blocks += p->live_blocks;
	l->exec_bytes += p->live_bytes;
	drop_blocks(l, p);
	p->live_blocks = p->live_bytes = 0;
	p->origin = HEAP_FROM_EXEC;
	set_process_name(p, exec->name);
}

/* Removes young blocks from their stacks, but not from the values of the process. */
static void forget_young(struct heap_live *l, const struct heap_process *p, uint64_t now_ns)
{
	map_for_each_value (map_while(l->min_age_ns, &p->blocks), const struct heap_block *, b) {
		if (now_ns - b->time_ns < l->min_age_ns)
			remove_from_stack(l, b, now_ns);
	}
}

void heap_live_forget_young(struct heap_live *l)
{
	map_for_each (&l->processes, const struct process_id *, key, void *, value) {
		l->last_id = *key;
		l->last = value;
		forget_young(l, value, l->end_ns);
	}
}

/* Keeps the blocks in their stacks, as live at the end of the process. */
static void store_blocks_left(struct heap_live *l, const struct heap_process *p)
{
	map_for_each_value (
		map_while(l->stacks.count, &p->blocks), const struct heap_block *, block) {
		struct heap_stack_sum *stack = stack_of(l, block->stack);

		if (!stack)
			continue;
		note_peak(l, stack);
		stack->gone_bytes += block->size;
		stack->gone_blocks++;
	}
}

static void handle_leave(struct heap_live *l, const struct process_leave *leave)
{
	struct heap_process *p = heap_live_process(l, &leave->record);

	if (!p || p->has_left)
		return;
	forget_young(l, p, leave->record.time_ns);
	store_blocks_left(l, p);
	drop_blocks(l, p);
	p->has_left = true;
	l->last_left = l->last_id;
	if (!--l->present)
		l->last_bytes = p->live_bytes;
	if (!p->name[0])
		set_process_name(p, leave->name);
	if (p->seen.events || p->counted.events || l->has_held ||
		l->processes.count < HEAP_PROCESSES_MAX / 2)
		return;
	/* The process never allocated, unless aggregates come later: its entry is better used for
	 * another process. */
	map_remove(&l->processes, &l->last_id);
	l->last = NULL;
}

/* Most records are of the process of the last one. */
static const struct heap_call *call_of_last(const struct heap_live *l, const struct sooth_record *r)
{
	return l->last && r && r->kind == HEAP_CALL && r->pid == l->last_id.pid &&
			       record_holds(r, HEAP_CALL_LEAST)
		       ? (const void *)r
		       : NULL;
}

void heap_live_fetch(
	const struct heap_live *l, const struct sooth_record *near, const struct sooth_record *far)
{
	const struct heap_call *call = call_of_last(l, far);

	if (call)
		map_fetch_index(&l->last->blocks, &call->address);
	call = call_of_last(l, near);
	if (call)
		map_fetch_entry(&l->last->blocks, &call->address);
}

void heap_live_add_record(struct heap_live *l, const struct sooth_record *r)
{
	if (r->time_ns > l->end_ns)
		l->end_ns = r->time_ns;
	switch (r->kind) {
	case HEAP_CALL:
		if (record_holds(r, HEAP_CALL_LEAST))
			add_call(l, (const void *)r);
		break;
	case HEAP_COUNT:
		if (record_holds(r, sizeof(struct heap_count)))
			add_counts(l, (const void *)r);
		break;
	case PROCESS_JOIN:
		if (record_holds(r, sizeof(struct process_join)))
			handle_join(l, (const void *)r);
		break;
	case PROCESS_EXEC:
		if (record_holds(r, PROCESS_EXEC_LEAST))
			handle_exec(l, (const void *)r);
		break;
	case PROCESS_LEAVE:
		if (record_holds(r, sizeof(struct process_leave)))
			handle_leave(l, (const void *)r);
		break;
	case STREAM_TARGET:
		l->is_launched = target_is_command(r);
		break;
	case STREAM_END:
		if (l->clock.begin_ns)
			heap_live_window(l, r->time_ns);
		break;
	}
}

uint64_t heap_live_at_end(const struct heap_live *l)
{
	return l->present ? l->bytes : l->last_bytes;
}

void heap_live_total(const struct heap_live *l, uint64_t *bytes, uint64_t *blocks)
{
	*bytes = *blocks = 0;
	map_for_each_value (&l->processes, const struct heap_process *, p) {
		*bytes += p->live_bytes;
		*blocks += p->live_blocks;
	}
}

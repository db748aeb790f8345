/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stream is in the order of returns, and for free in the order of calls. So a block's address
 * comes again only after its free, with one exception: a realloc frees the old block inside, long
 * before it returns, and meanwhile another thread may get the address, and may even free it. Then
 * the other thread's malloc comes first and finds the old block still live. The replaced block is
 * remembered for a while, so that the realloc can claim it.
 */
#include "analyze/heap/heap_live.h"

#include <string.h>

#include "bpf/log2.h"
#include "model/batch.h"
#include "model/probe.h"
#include "model/schema.h"

#define HEAP_PROCESSES_MAX 65536
#define HEAP_STACKS_MAX	   (1u << 20)

void heap_live_init(struct heap_live *l, size_t blocks_max)
{
	*l = (struct heap_live){ .blocks_max = blocks_max };
	map_init(&l->processes, sizeof(struct process_id), sizeof(struct heap_process),
		HEAP_PROCESSES_MAX);
	map_init(&l->stacks, sizeof(uint32_t), sizeof(struct heap_stack_sum), HEAP_STACKS_MAX);
}

void heap_live_fini(struct heap_live *l)
{
	size_t position = 0;
	void *value;

	while (map_next(&l->processes, &position, NULL, &value))
		map_fini(&((struct heap_process *)value)->blocks);
	map_fini(&l->processes);
	map_fini(&l->stacks);
	l->last = NULL;
}

/* A request for memory failed. */
static bool heap_call_failed(const struct heap_call *c)
{
	return c->function != HEAP_FREE && !c->address && c->size &&
	       c->size_state == SOOTH_STATE_VALUE;
}

static struct heap_process *process_of(struct heap_live *l, const struct sooth_record *r)
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

/* The window of now; what was gained before is folded to its length. */
static unsigned window_at(struct heap_live *l, uint64_t time_ns)
{
	unsigned fold, window;
	size_t position = 0;
	void *value;

	if (!l->stacks.count)
		return 0;
	window = heap_clock_window(&l->clock, time_ns, &fold);
	while (fold && map_next(&l->stacks, &position, NULL, &value)) {
		for (unsigned i = 0; i < fold; i++)
			heap_gains_fold(&((struct heap_stack_sum *)value)->gains);
	}
	for (; fold; fold--)
		heap_gains_fold(&l->older);
	return window;
}

static void grow(struct heap_live *l, struct heap_process *p, const struct heap_block *b)
{
	unsigned window = window_at(l, b->time_ns);
	struct heap_stack_sum *stack = stack_of(l, b->stack);

	p->live_bytes += b->size;
	l->bytes += b->size;
	if (stack) {
		stack->live_bytes += b->size;
		stack->live_blocks++;
		stack->gains.bytes[window] += (int64_t)b->size;
		stack->gains.blocks[window]++;
	}
	if (p->live_bytes > p->peak_bytes)
		p->peak_bytes = p->live_bytes;
	if (l->bytes > l->peak_bytes) {
		l->peak_bytes = l->bytes;
		l->peak_ns = b->time_ns;
	}
}

static void leave_stack(struct heap_live *l, const struct heap_block *b, uint64_t time_ns)
{
	unsigned window = window_at(l, time_ns);
	struct heap_stack_sum *stack = stack_of(l, b->stack);

	if (stack) {
		stack->live_bytes -= b->size;
		stack->live_blocks--;
		stack->gains.bytes[window] -= (int64_t)b->size;
		stack->gains.blocks[window]--;
	}
}

static void shrink(
	struct heap_live *l, struct heap_process *p, const struct heap_block *b, uint64_t time_ns)
{
	p->live_bytes -= b->size;
	l->bytes -= b->size;
	leave_stack(l, b, time_ns);
}

static struct heap_block block_of(const struct heap_call *c)
{
	bool has_stack =
		record_holds(&c->record, sizeof(*c)) && c->stack_state == SOOTH_STATE_VALUE;

	return (struct heap_block){ c->size, c->record.time_ns, has_stack ? c->stack : 0, 0 };
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

/* Whether the block was replaced since `since_ns`: then it was freed. */
static bool take_handover(struct heap_live *l, uint64_t address, uint64_t since_ns)
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
		shrink(l, p, b, c->record.time_ns);
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
	grow(l, p, b);
}

static void note_foreign_free(struct heap_live *l, const struct heap_process *p, uint64_t time_ns)
{
	if (p->origin == HEAP_FROM_FORK) {
		l->frees_inherited++;
	} else if (p->origin == HEAP_FROM_BEFORE) {
		l->frees_from_before++;
		l->older.blocks[window_at(l, time_ns)]++;
	} else {
		l->frees_unknown++;
	}
}

/* The block that was live at since_ns. A later one at the same address belongs to another call. */
static void drop_block(
	struct heap_live *l, struct heap_process *p, uint64_t address, uint64_t since_ns)
{
	struct heap_block *b = map_get(&p->blocks, &address);

	if (b && b->time_ns <= since_ns) {
		shrink(l, p, b, since_ns);
		l->freed_bytes += b->size;
		map_remove(&p->blocks, &address);
		p->live_blocks = p->blocks.count;
		l->blocks--;
	} else if (!take_handover(l, address, since_ns)) {
		note_foreign_free(l, p, since_ns);
	}
}

/* Resized in place: no other call can have had the address meanwhile. */
static void resize_block(struct heap_live *l, struct heap_process *p, const struct heap_call *c)
{
	struct heap_block *b = map_get(&p->blocks, &c->address);

	if (!b) {
		note_foreign_free(l, p, c->record.time_ns);
		add_block(l, p, c);
		return;
	}
	shrink(l, p, b, c->record.time_ns);
	l->freed_bytes += b->size;
	*b = block_of(c);
	grow(l, p, b);
}

static void apply(struct heap_live *l, struct heap_process *p, const struct heap_call *c)
{
	uint64_t begin_ns = c->record.time_ns - c->duration_ns;
	bool has_old = c->old_address_state == SOOTH_STATE_VALUE && c->old_address;

	if (c->function == HEAP_FREE) {
		if (c->address)
			drop_block(l, p, c->address, c->record.time_ns);
	} else if (heap_call_failed(c)) {
		return; /* and the old block of the realloc stays */
	} else if (has_old && c->old_address == c->address) {
		resize_block(l, p, c);
	} else {
		/* realloc(p, 0) may return NULL, and is a free then. */
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

static void take_call(struct heap_live *l, const struct heap_call *c)
{
	struct heap_process *p = process_of(l, &c->record);

	if (!p)
		return;
	p->seen.events++;
	if (c->function != HEAP_FREE && !heap_call_failed(c)) {
		p->seen.allocated_bytes += c->size;
		count_stack(l, c);
	}
	if (!p->has_left)
		apply(l, p, c);
}

static void take_count(struct heap_live *l, const struct heap_count *c)
{
	struct heap_process *p = process_of(l, &c->record);

	if (!p)
		return;
	p->counted.events += c->count;
	p->counted.allocated_bytes += c->bytes;
}

/* Drops all its blocks together. */
static void empty(struct heap_live *l, struct heap_process *p)
{
	l->blocks -= p->blocks.count;
	l->bytes -= p->live_bytes;
	map_fini(&p->blocks);
}

static void name_process(struct heap_process *p, const char name[PROCESS_NAME_SIZE])
{
	memcpy(p->name, name, sizeof(p->name));
}

static void take_join(struct heap_live *l, const struct process_join *join)
{
	struct heap_process *p = process_of(l, &join->record);

	if (!p)
		return;
	if (!p->seen.events)
		p->origin = HEAP_FROM_FORK;
	name_process(p, join->name);
}

static void take_exec(struct heap_live *l, const struct process_exec *exec)
{
	struct heap_process *p = process_of(l, &exec->record);
	size_t position = 0;
	void *block;

	if (!p || p->has_left)
		return;
	while (l->stacks.count && map_next(&p->blocks, &position, NULL, &block))
		leave_stack(l, block, exec->record.time_ns);
	l->exec_blocks += p->live_blocks;
	l->exec_bytes += p->live_bytes;
	empty(l, p);
	p->live_blocks = p->live_bytes = 0;
	p->origin = HEAP_FROM_EXEC;
	name_process(p, exec->name);
}

static void take_leave(struct heap_live *l, const struct process_leave *leave)
{
	struct heap_process *p = process_of(l, &leave->record);

	if (!p || p->has_left)
		return;
	empty(l, p);
	p->has_left = true;
	if (!--l->present)
		l->last_bytes = p->live_bytes;
	if (!p->name[0])
		name_process(p, leave->name);
	if (p->seen.events || p->counted.events)
		return;
	/* It never allocated: its place is better used for another. */
	map_remove(&l->processes, &l->last_id);
	l->last = NULL;
}

static void take_target(struct heap_live *l, const struct sooth_record *r)
{
	const struct sooth_schema *schema = registry_schema(STREAM_TARGET);
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, "selector"), r);

	l->is_launched = v.state == SOOTH_STATE_VALUE && v.text.size == strlen("command") &&
			 !memcmp(v.text.data, "command", v.text.size);
}

void heap_live_take(struct heap_live *l, const struct sooth_record *r)
{
	switch (r->kind) {
	case HEAP_CALL:
		if (record_holds(r, HEAP_CALL_LEAST))
			take_call(l, (const void *)r);
		break;
	case HEAP_COUNT:
		if (record_holds(r, sizeof(struct heap_count)))
			take_count(l, (const void *)r);
		break;
	case PROCESS_JOIN:
		if (record_holds(r, sizeof(struct process_join)))
			take_join(l, (const void *)r);
		break;
	case PROCESS_EXEC:
		if (record_holds(r, PROCESS_EXEC_LEAST))
			take_exec(l, (const void *)r);
		break;
	case PROCESS_LEAVE:
		if (record_holds(r, sizeof(struct process_leave)))
			take_leave(l, (const void *)r);
		break;
	case STREAM_TARGET:
		take_target(l, r);
		break;
	case STREAM_END:
		if (l->clock.begin_ns)
			window_at(l, r->time_ns);
		break;
	}
}

uint64_t heap_live_at_end(const struct heap_live *l)
{
	return l->present ? l->bytes : l->last_bytes;
}

void heap_live_total(const struct heap_live *l, uint64_t *bytes, uint64_t *blocks)
{
	size_t position = 0;
	void *value;

	*bytes = *blocks = 0;
	while (map_next(&l->processes, &position, NULL, &value)) {
		const struct heap_process *p = value;

		*bytes += p->live_bytes;
		*blocks += p->live_blocks;
	}
}

/* --- sums of calls --- */

/*
 * Calls of the allocator added up by function. Aggregates and single calls give the same sums; at
 * millions of calls per second single calls are added directly, without an aggregate each, as
 * explain/reduce.h would make.
 */

static uint32_t place_of(uint32_t function)
{
	return function < HEAP_FUNCTIONS ? function : HEAP_FUNCTIONS;
}

static void add(struct heap_function_sum *to, const struct heap_function_sum *one)
{
	to->count += one->count;
	to->failed += one->failed;
	to->overflows += one->overflows;
	to->unfinished += one->unfinished;
	to->bytes += one->bytes;
	to->total_ns += one->total_ns;
	if (one->max_ns > to->max_ns)
		to->max_ns = one->max_ns;
}

static void add_both(struct heap_sums *s, uint32_t function, const struct heap_function_sum *one)
{
	s->has_any = true;
	add(&s->functions[place_of(function)], one);
	add(&s->all, one);
}

void heap_sums_add_call(struct heap_sums *s, const struct heap_call *c)
{
	bool is_free = c->function == HEAP_FREE, has_failed = heap_call_failed(c);
	struct heap_function_sum one = { .count = 1,
		.failed = has_failed,
		.overflows = c->is_overflow != 0,
		.bytes = is_free || has_failed ? 0 : c->size,
		.total_ns = c->duration_ns,
		.max_ns = c->duration_ns };

	add_both(s, c->function, &one);
	if (!is_free)
		s->histogram[log2_bucket(c->size, HEAP_BUCKETS)]++;
}

void heap_sums_add_count(struct heap_sums *s, const struct heap_count *c)
{
	struct heap_function_sum one = { .count = c->count,
		.failed = c->failed,
		.overflows = c->overflows,
		.unfinished = c->unfinished,
		.bytes = c->bytes,
		.total_ns = c->total_ns,
		.max_ns = c->max_ns };

	add_both(s, c->function, &one);
	for (unsigned i = 0; i < HEAP_BUCKETS; i++)
		s->histogram[i] += c->histogram[i];
}

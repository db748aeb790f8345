/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables are read while the kernel side writes them: a value may come from a half-counted call,
 * and a batch may miss an entry that moves. The next reading has them, at the latest the last one,
 * when no program runs any more. */
#include "os/linux/heap/heap_sums.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/batch.h"
#include "os/os.h"
#include "os/linux/rights/needs.h"

/* At first the tables are read at this interval, later less often: the time windows of growth
 * double in length, too. */
#define LOOK_NS	   (200 * NS_PER_MS)
#define LOOK_SHARE 64 /* sums since the start of the run */
#define BATCH	   1024

struct heap_sums_reader {
	int sums, held, blocks;
	struct map known;      /* heap_sum_key -> heap_sum_value */
	struct map known_held; /* heap_held_key -> heap_held_value */
	struct map ended; /* heap_held_key of a gone process or program -> its number of blocks */
	uint64_t left_blocks; /* blocks of `ended` that are still in the table */
	uint64_t room;	      /* size of the table, in entries */
	uint64_t begin_ns, looked_ns;
	uint64_t reported_unheld;
	struct heap_sum_key sum_keys[BATCH];
	struct heap_sum_value sum_values[BATCH];
	struct heap_held_key held_keys[HEAP_HELD_ENTRIES];
	struct heap_held_value held_values[HEAP_HELD_ENTRIES];
	uint32_t held_order[HEAP_HELD_ENTRIES];
	struct heap_block_key block_keys[BATCH];
	struct heap_block_kept block_values[BATCH];
};

int heap_sums_prepare(
	struct bpf_code *code, const struct probe_options *options, struct sooth_error *err)
{
	static const char map[] = "live_blocks";
	uint64_t blocks = options->observer.heap.blocks_most;
	int status = options->observer.heap.finds_wrong_frees
			     ? bpf_code_resize(code, "freed_blocks", HEAP_FREED_ENTRIES, err)
			     : 0;

	if (!status && options->observer.heap.adapts_to_load)
		status = bpf_code_resize(code, "met", HEAP_MET_ENTRIES, err);
	if (status)
		return status;
	if (needs_kernel_release() < KERNEL_RELEASE(6, 1)) {
		status = bpf_code_preallocate(code, "sums", HEAP_SUMS_LEAST, err);
		return status ? status
			      : bpf_code_preallocate(
					code, map, blocks ? blocks : HEAP_BLOCKS_LEAST, err);
	}
	return blocks ? bpf_code_resize(code, map, blocks, err) : 0;
}

static uint64_t map_capacity(int map)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(map, &info, &size) ? 0 : info.max_entries;
}

struct heap_sums_reader *heap_sums_open(struct bpf_code *code, struct sooth_error *err)
{
	struct heap_sums_reader *r = calloc(1, sizeof(*r));

	if (!r) {
		error_no_memory(err);
		return NULL;
	}
	r->sums = bpf_code_map(code, "sums");
	r->held = bpf_code_map(code, "held");
	r->blocks = bpf_code_map(code, "live_blocks");
	r->room = map_capacity(r->blocks);
	map_init(&r->ended, sizeof(struct heap_held_key), sizeof(uint64_t), HEAP_HELD_ENTRIES);
	map_init(&r->known, sizeof(struct heap_sum_key), sizeof(struct heap_sum_value),
		HEAP_SUM_ENTRIES);
	map_init(&r->known_held, sizeof(struct heap_held_key), sizeof(struct heap_held_value),
		HEAP_HELD_ENTRIES);
	return r;
}

void heap_sums_close(struct heap_sums_reader *r)
{
	if (!r)
		return;
	map_fini(&r->known);
	map_fini(&r->known_held);
	map_fini(&r->ended);
	free(r);
}

/* --- reading a table --- */

/* Reads the next entries of a table; 0: there are no more. A kernel without batches (before 5.6)
 * has no ring buffer either. */
static uint32_t read_batch(
	int map, uint32_t *position, bool is_first, uint32_t room, void *keys, void *values)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	uint32_t count = room;
	int status = bpf_map_lookup_batch(
		map, is_first ? NULL : position, position, keys, values, &count, &options);

	return status && status != -ENOENT ? 0 : count;
}

/* --- ended processes --- */

/* The table is swept when a quarter of it belongs to processes that are gone. */
#define LEFT_SHARE 4

static void note_blocks_of_ended_process(struct heap_sums_reader *r,
	const struct heap_held_key *key, const struct heap_held_value *value)
{
	bool is_new;
	uint64_t *blocks = map_put(&r->ended, key, &is_new);

	if (!blocks)
		return;
	r->left_blocks += value->live_blocks - *blocks;
	*blocks = value->live_blocks;
}

void heap_sums_ended(struct heap_sums_reader *r, const struct process_id *process)
{
	map_for_each (
		map_while(r, &r->known_held), const struct heap_held_key *, k, void *, value) {
		if (k->pid == process->pid && k->start_ticks == process->start_ticks)
			note_blocks_of_ended_process(r, k, value);
	}
}

/* Notes that an exec has ended the earlier programs of a process. */
static void note_earlier(struct heap_sums_reader *r, const struct heap_held_key *now)
{
	map_for_each (&r->known_held, const struct heap_held_key *, k, void *, value) {
		if (k->pid == now->pid && k->start_ticks == now->start_ticks &&
			k->program < now->program)
			note_blocks_of_ended_process(r, k, value);
	}
}

/* Returns whether a process is alive. Another process may have got the same PID: its blocks cannot
 * be distinguished from those of the ended one. */
static bool is_alive(const struct heap_sums_reader *r, const struct heap_block_key *block)
{
	map_for_each_key (&r->known_held, const struct heap_held_key *, k) {
		if (k->pid == block->pid && k->program == block->program && !map_get(&r->ended, k))
			return true;
	}
	return false;
}

static bool is_owner_gone(const struct heap_sums_reader *r, const struct heap_block_key *block)
{
	map_for_each_key (&r->ended, const struct heap_held_key *, k) {
		if (k->pid == block->pid && k->program == block->program)
			return !is_alive(r, block);
	}
	return false;
}

/* Removes the blocks of processes that are gone. is_owner_gone() is computed once per process,
 * because a process has many blocks. */
static void remove_ended_blocks(struct heap_sums_reader *r)
{
	uint32_t position = 0, count, seen = 0;
	struct map known;

	map_init(&known, 2 * sizeof(uint32_t), sizeof(bool), HEAP_HELD_ENTRIES);
	do {
		count = read_batch(
			r->blocks, &position, !seen, BATCH, r->block_keys, r->block_values);
		for (uint32_t i = 0; i < count; i++) {
			const struct heap_block_key *block = &r->block_keys[i];
			bool is_new, *gone = map_put(&known, &block->pid, &is_new);

			if (gone && is_new)
				*gone = is_owner_gone(r, block);
			if (gone && *gone)
				bpf_map_delete_elem(r->blocks, block);
		}
		seen += count;
	} while (count && seen < r->room);
	map_fini(&known);
	map_clear(&r->ended);
	r->left_blocks = 0;
}

/* --- emitting --- */

struct look {
	struct heap_sums_reader *reader;
	struct backend_run *run;
	struct heap_stacks *stacks;
	uint64_t now_ns;
	uint64_t sample_bytes;
	bool is_last;
};

static struct sooth_record record_head_of(
	const struct look *l, uint64_t start_ticks, uint32_t pid, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = l->now_ns,
		.start_ticks = start_ticks,
		.pid = pid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

static void emit_sum(
	const struct look *l, const struct heap_sum_key *key, const struct heap_sum_value *value)
{
	struct heap_sum_value *known = map_put(&l->reader->known, key, NULL);
	const struct heap_sum_value *now = value;
	struct heap_sum sum;
	uint32_t number;

	if (!known || !memcmp(known, now, sizeof(*now)))
		return;
	number = heap_stacks_number_of(l->stacks, key->stack_hash);
	/* The stack may have been sent after the ring was read. */
	if (!number && !l->is_last)
		return;
	sum = (struct heap_sum){ .record = record_head_of(l, key->start_ticks, key->pid, HEAP_SUM),
		.from_ns = l->reader->looked_ns,
		.calls = now->calls - known->calls,
		.allocated_bytes = now->allocated_bytes - known->allocated_bytes,
		.freed_blocks = now->freed_blocks - known->freed_blocks,
		.freed_bytes = now->freed_bytes - known->freed_bytes,
		.short_blocks = now->short_blocks - known->short_blocks,
		.short_bytes = now->short_bytes - known->short_bytes,
		.program = key->program,
		.size_class = key->size_class,
		.stack = number,
		.stack_state = number ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
		.sample_bytes = key->sampled_size ? l->sample_bytes : 0,
		.sampled_size = key->sampled_size };
	*known = *now;
	RECORD_APPEND(&l->run->out, &sum, NULL, 0);
}

static void emit_held_value(
	const struct look *l, const struct heap_held_key *key, const struct heap_held_value *value)
{
	bool is_new = false;
	struct heap_held_value *known = map_put(&l->reader->known_held, key, &is_new);
	struct heap_held held;

	if (is_new)
		note_earlier(l->reader, key);
	/* A new entry is emitted even without any sampled block: it says that there is none. */
	if (!known || (!is_new && !memcmp(known, value, sizeof(*value))))
		return;
	*known = *value;
	held = (struct heap_held){ .record =
					   record_head_of(l, key->start_ticks, key->pid, HEAP_HELD),
		.live_bytes = value->live_bytes,
		.live_blocks = value->live_blocks,
		.peak_bytes = value->peak_bytes,
		.freed_bytes = value->freed_bytes,
		.frees_unknown = value->frees_unknown,
		.untracked_blocks = value->untracked_blocks,
		.untracked_bytes = value->untracked_bytes,
		.unsummed_blocks = value->unsummed_blocks,
		.unsummed_bytes = value->unsummed_bytes,
		.program = key->program,
		.is_forked = (uint8_t)value->is_forked,
		.sample_bytes = l->sample_bytes };
	RECORD_APPEND(&l->run->out, &held, NULL, 0);
}

/* --- looking --- */

static void emit_sums(const struct look *l)
{
	struct heap_sums_reader *r = l->reader;
	uint32_t position = 0, count, seen = 0;

	do {
		count = read_batch(r->sums, &position, !seen, BATCH, r->sum_keys, r->sum_values);
		for (uint32_t i = 0; i < count; i++)
			emit_sum(l, &r->sum_keys[i], &r->sum_values[i]);
		seen += count;
	} while (count && seen < HEAP_SUM_ENTRIES);
}

static int compare_by_program(const void *left, const void *right, void *user)
{
	const struct heap_held_key *keys = user;
	uint32_t a = keys[*(const uint32_t *)left].program,
		 b = keys[*(const uint32_t *)right].program;

	return a < b ? -1 : a > b;
}

/* Emits programs in the order of their numbers: the blocks that a process held before an exec come
 * first, because the exec ends them. */
static void emit_held_values(const struct look *l)
{
	struct heap_sums_reader *r = l->reader;
	uint32_t position = 0, count, seen = 0;

	do {
		count = HEAP_HELD_ENTRIES - seen;
		count = read_batch(r->held, &position, !seen, count < BATCH ? count : BATCH,
			r->held_keys + seen, r->held_values + seen);
		seen += count;
	} while (count && seen < HEAP_HELD_ENTRIES);
	for (uint32_t i = 0; i < seen; i++)
		r->held_order[i] = i;
	qsort_r(r->held_order, seen, sizeof(*r->held_order), compare_by_program, r->held_keys);
	for (uint32_t i = 0; i < seen; i++)
		emit_held_value(
			l, &r->held_keys[r->held_order[i]], &r->held_values[r->held_order[i]]);
}

struct heap_sums_total heap_sums_total(struct heap_sums_reader *r)
{
	struct heap_sums_total total = { 0 };
	uint32_t position = 0, count, seen = 0;

	do {
		count = read_batch(r->sums, &position, !seen, BATCH, r->sum_keys, r->sum_values);
		for (uint32_t i = 0; i < count; i++) {
			total.calls += r->sum_values[i].calls;
			total.bytes += r->sum_values[i].allocated_bytes;
		}
		seen += count;
	} while (count && seen < HEAP_SUM_ENTRIES);
	return total;
}

static bool is_check_due(const struct heap_sums_reader *r, uint64_t now_ns)
{
	uint64_t wait_ns = (now_ns - r->begin_ns) / LOOK_SHARE;

	return now_ns - r->looked_ns >= (wait_ns > LOOK_NS ? wait_ns : LOOK_NS);
}

bool heap_sums_emit(struct heap_sums_reader *r, struct backend_run *run, struct heap_stacks *stacks,
	const struct heap_control *control, bool is_last)
{
	struct look look = { r, run, stacks, run->os->now_ns(run->os), control->sample_bytes,
		is_last };

	if (!r)
		return true;
	if (!r->begin_ns)
		r->begin_ns = r->looked_ns = look.now_ns;
	if (!is_last && !is_check_due(r, look.now_ns))
		return false;
	emit_sums(&look);
	emit_held_values(&look);
	if (!is_last && r->room && r->left_blocks >= r->room / LEFT_SHARE)
		remove_ended_blocks(r);
	r->looked_ns = look.now_ns;
	if (control->unheld != r->reported_unheld)
		backend_loss(run, control->unheld - r->reported_unheld, 0,
			"sooth's table of processes was full: calls of others were only counted");
	r->reported_unheld = control->unheld;
	return true;
}

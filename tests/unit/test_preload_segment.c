/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory that a program shares with sooth (preload/layout.h), as the library writes it and as
 * a hostile program may.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/batch.h"
#include "os/linux/heap/preload/preload_segment.h"
#include <sooth/field.h>

#define ROUNDS	   20000
#define PID_INSIDE 7 /* of the process, in its own namespace */

struct segment {
	struct preload_segment *s;
	struct preload_head *head;
	struct preload_slot *slot;
	uint64_t *ring;
	struct preload_clock clock;
	struct preload_missing missing;
	struct buffer out;
};

static void begin(struct segment *g)
{
	const struct process_id process = { .start_ticks = 7, .pid = 4711 };
	struct sooth_error err;

	*g = (struct segment){ 0 };
	g->s = preload_segment_new(&process, PID_INSIDE, &err);
	assert_non_null(g->s);
	g->head = (void *)g->s->memory;
	g->slot = preload_segment_slot(g->s, 0);
	g->ring = (void *)(g->s->memory + preload_ring_at(0));
	preload_clock_init(&g->clock);
	atomic_store(&g->head->used, 1);
	atomic_store(&g->slot->begin_ticks, preload_ticks());
	atomic_store(&g->slot->tid, 4712);
	atomic_store(&g->slot->pid, PID_INSIDE);
	atomic_store(&g->slot->state, PRELOAD_SLOT_TAKEN);
}

static void end(struct segment *g)
{
	preload_segment_free(g->s);
	buffer_fini(&g->out);
}

static bool read_all(struct segment *g)
{
	uint64_t complete_ns = clock_monotonic_ns();

	return preload_segment_read(g->s, &g->clock, &g->out, &g->missing, &complete_ns);
}

static void put(struct segment *g, uint64_t word)
{
	unsigned long long head = atomic_load(&g->slot->head);

	g->ring[head & (PRELOAD_RING_WORDS - 1)] = word;
	atomic_store(&g->slot->head, head + 1);
}

static void put_time(struct segment *g)
{
	put(g, PRELOAD_TIME);
	put(g, preload_ticks());
}

static void test_calls(void **state)
{
	struct segment g;
	const struct heap_call *call;
	struct batch batch;

	(void)state;
	begin(&g);
	put_time(&g);
	put(&g, HEAP_MALLOC | 100ull << PRELOAD_HEAD_DURATION | 500ull << PRELOAD_HEAD_DELTA);
	put(&g, 0x1000);
	put(&g, 99);
	put(&g, HEAP_REALLOC | PRELOAD_HEAD_HAS_OLD | PRELOAD_HEAD_HAS_DURATION);
	put(&g, 0x2000);
	put(&g, 200);
	put(&g, 0x1000);
	put(&g, 1000000);
	put(&g, HEAP_POSIX_MEMALIGN | PRELOAD_HEAD_HAS_ERROR | 6u << PRELOAD_HEAD_ALIGNMENT);
	put(&g, 0);
	put(&g, 300);
	put(&g, 12);
	put(&g, HEAP_FREE);
	put(&g, 0x2000);
	assert_true(read_all(&g));
	batch = (struct batch){ g.out.data, g.out.size };
	assert_int_equal(batch_check(&batch), 4);
	call = (const void *)batch_first(&batch);
	assert_int_equal(call->record.pid, 4711);
	assert_int_equal(call->record.tid, 4712);
	assert_int_equal(call->address, 0x1000);
	assert_int_equal(call->size, 99);
	assert_true(call->duration_ns < 100);
	call = (const void *)batch_next(&batch, &call->record);
	assert_int_equal(call->old_address, 0x1000);
	assert_int_equal(call->old_address_state, SOOTH_STATE_VALUE);
	assert_true(call->duration_ns > 100);
	call = (const void *)batch_next(&batch, &call->record);
	assert_int_equal(call->error, 12);
	assert_int_equal(call->alignment_log2, 6);
	call = (const void *)batch_next(&batch, &call->record);
	assert_int_equal(call->function, HEAP_FREE);
	assert_int_equal(call->size_state, SOOTH_STATE_ABSENT);
	assert_int_equal(g.missing.damaged, 0);
	assert_int_equal(atomic_load(&g.slot->tail), atomic_load(&g.slot->head));
	assert_false(read_all(&g));
	end(&g);
}

/* A ring that wraps, in portions that are no multiples of its size. */
static void test_wraps(void **state)
{
	uint64_t calls = 0;
	struct segment g;

	(void)state;
	begin(&g);
	put_time(&g);
	for (int round = 0; round < 40; round++) {
		struct batch batch;

		for (int i = 0; i < 3001; i++, calls++) {
			put(&g, HEAP_CALLOC);
			put(&g, 0x1000 + calls);
			put(&g, calls);
		}
		buffer_reset(&g.out);
		assert_true(read_all(&g));
		batch = (struct batch){ g.out.data, g.out.size };
		assert_int_equal(batch_check(&batch), 3001);
		batch_for_each (r, &batch) {
			const struct heap_call *call = (const void *)r;

			assert_int_equal(call->address - 0x1000, call->size);
		}
	}
	assert_int_equal(g.missing.damaged, 0);
	end(&g);
}

/* The indices that a program writes are compared with those that sooth knows. */
static void test_indices(void **state)
{
	struct segment g;

	(void)state;
	begin(&g);
	atomic_store(&g.slot->head, PRELOAD_RING_WORDS + 1);
	read_all(&g);
	assert_int_equal(g.missing.damaged, 1);
	atomic_store(&g.slot->head, 5); /* back */
	read_all(&g);
	assert_int_equal(g.missing.damaged, 2);
	atomic_store(&g.slot->head, UINT64_MAX);
	atomic_store(&g.slot->tail, 12345); /* sooth's own: not believed */
	read_all(&g);
	assert_int_equal(g.missing.damaged, 3);
	assert_int_equal(g.out.size, 0);
	/* It goes on from there. */
	put(&g, HEAP_FREE);
	put(&g, 0x1000);
	assert_true(read_all(&g));
	assert_int_equal(g.out.size, HEAP_CALL_LEAST);
	end(&g);
}

static void test_cut_records(void **state)
{
	static const uint64_t heads[] = { HEAP_MALLOC, HEAP_FREE,
		HEAP_REALLOC | PRELOAD_HEAD_HAS_OLD, PRELOAD_TIME, PRELOAD_STACK,
		PRELOAD_STACK | 255u << PRELOAD_STACK_COUNT, HEAP_FUNCTIONS, 13 };

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct segment g;

		begin(&g);
		put(&g, heads[i]);
		assert_true(read_all(&g));
		assert_int_equal(g.missing.damaged, 1);
		assert_int_equal(g.out.size, 0);
		end(&g);
	}
}

/* Whatever stands there, whole records come out, and reading ends. */
static void test_random_words(void **state)
{
	struct segment g;

	(void)state;
	begin(&g);
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		int words = rand() % 40;
		struct batch batch;

		for (int i = 0; i < words; i++)
			put(&g, ((uint64_t)rand() << 40 ^ (uint64_t)rand() << 16 ^
					(uint64_t)rand()) >>
					(rand() % 64));
		if (rand() % 50 == 0)
			atomic_store(&g.slot->head, (unsigned long long)rand() << (rand() % 32));
		if (rand() % 50 == 0)
			atomic_store(&g.slot->is_late, (unsigned)rand());
		buffer_reset(&g.out);
		read_all(&g);
		batch = (struct batch){ g.out.data, g.out.size };
		assert_true(batch_check(&batch) >= 0);
		assert_true(g.out.size < 1 << 22);
	}
	assert_true(g.missing.damaged > 0);
	end(&g);
}

static void test_counts(void **state)
{
	const struct heap_count *count;
	struct segment g;

	(void)state;
	begin(&g);
	g.slot->counts[HEAP_CALLOC].count = 3;
	g.slot->counts[HEAP_CALLOC].bytes = 300;
	g.slot->counts[HEAP_CALLOC].histogram[6] = 3;
	read_all(&g);
	preload_segment_count(g.s, 0, &g.clock, 1000, &g.out);
	assert_int_equal(g.out.size, sizeof(*count));
	count = (const void *)g.out.data;
	assert_int_equal(count->function, HEAP_CALLOC);
	assert_int_equal(count->count, 3);
	assert_int_equal(count->bytes, 300);
	assert_int_equal(count->histogram[6], 3);
	/* Taken once; the slot is another thread's then. */
	preload_segment_count(g.s, 0, &g.clock, 1000, &g.out);
	assert_int_equal(g.out.size, sizeof(*count));
	preload_segment_release(g.s, 0);
	assert_int_equal(atomic_load(&g.slot->state), PRELOAD_SLOT_FREE);
	end(&g);
}

/* A slot of another process is read once that is known, and then as that one's. */
struct forked {
	bool is_known;
	uint32_t asked_pid, asked_parent;
};

static bool find_forked(
	void *user, struct preload_segment *segment, struct preload_reading *r, uint32_t parent)
{
	struct forked *f = user;

	(void)segment;
	f->asked_pid = r->pid;
	f->asked_parent = parent;
	r->process = (struct process_id){ .start_ticks = 9, .pid = 4800 };
	return f->is_known;
}

static void test_forked(void **state)
{
	struct forked forked = { 0 };
	const struct heap_call *call;
	struct segment g;

	(void)state;
	begin(&g);
	g.s->find = find_forked;
	g.s->user = &forked;
	atomic_store(&g.slot->pid, 8);
	atomic_store(&g.slot->parent, PID_INSIDE);
	put(&g, HEAP_FREE);
	put(&g, 0x1000);
	assert_false(read_all(&g));
	assert_int_equal(g.out.size, 0);
	assert_int_equal(forked.asked_pid, 8);
	assert_int_equal(forked.asked_parent, PID_INSIDE);
	forked.is_known = true;
	assert_true(read_all(&g));
	call = (const void *)g.out.data;
	assert_int_equal(call->record.pid, 4800);
	assert_int_equal(call->record.start_ticks, 9);
	end(&g);
}

/* Its memory is kept while a process has it, whatever that says. */
static void test_is_mapped(void **state)
{
	struct segment g;
	void *other;

	(void)state;
	begin(&g);
	other = mmap(NULL, PRELOAD_SEGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, g.s->fd, 0);
	assert_ptr_not_equal(other, MAP_FAILED);
	assert_true(preload_segment_is_mapped(g.s));
	assert_non_null(g.s->memory);
	assert_int_equal(ftruncate(g.s->fd, 0), -1);
	munmap(other, PRELOAD_SEGMENT_BYTES);
	assert_false(preload_segment_is_mapped(g.s));
	end(&g);
}

/* More slots than there are, and slots that are none. */
static void test_hostile_head(void **state)
{
	struct segment g;

	(void)state;
	begin(&g);
	atomic_store(&g.head->used, UINT32_MAX);
	atomic_store(&g.head->around, UINT32_MAX);
	atomic_store(&g.slot->state, 77);
	assert_int_equal(preload_segment_used_slots(g.s), PRELOAD_SLOTS);
	assert_false(read_all(&g));
	assert_int_equal(g.s->around, PRELOAD_AROUND_ALL);
	end(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_wraps),
		cmocka_unit_test(test_indices),
		cmocka_unit_test(test_cut_records),
		cmocka_unit_test(test_random_words),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_forked),
		cmocka_unit_test(test_is_mapped),
		cmocka_unit_test(test_hostile_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

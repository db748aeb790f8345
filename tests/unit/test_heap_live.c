/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live set of heaps: what each kind of call does to it, threads that get an
 * address while a realloc of another is in flight, forks and execs, and millions
 * of random calls against a simple model.
 */
#include "heap_records.h"

#include "analyze/heap/heap_live.h"

static struct buffer records;
static struct heap_live live;

static int setup(void **state)
{
	(void)state;
	buffer_reset(&records);
	heap_live_init(&live, HEAP_BLOCKS_MAX);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buffer_fini(&records);
	heap_live_fini(&live);
	return 0;
}

static void take_all(void)
{
	struct batch all = { records.data, records.size };

	batch_for_each (r, &all)
		heap_live_add_record(&live, r);
	buffer_reset(&records);
}

static const struct heap_process *process(uint32_t pid)
{
	struct process_id id = { .start_ticks = TICKS, .pid = pid };

	return map_get(&live.processes, &id);
}

static void assert_live(uint64_t bytes, uint64_t blocks)
{
	uint64_t live_bytes, live_blocks;

	take_all();
	heap_live_total(&live, &live_bytes, &live_blocks);
	assert_int_equal(live_bytes, bytes);
	assert_int_equal(live_blocks, blocks);
}

static void launched(void)
{
	add_target(&records, "command");
}

static void test_plain(void **state)
{
	(void)state;
	launched();
	add_heap_call(&records, malloc_call(100, 1, 0x1000, 50));
	add_heap_call(&records, malloc_call(110, 1, 0x2000, 70));
	assert_live(120, 2);
	assert_int_equal(live.peak_bytes, 120);
	assert_int_equal(live.peak_ns, 110);
	add_heap_call(&records, free_call(120, 1, 0x1000));
	assert_live(70, 1);
	add_heap_call(&records, malloc_call(130, 1, 0x1000, 10));
	add_heap_call(&records, malloc_call(140, 1, 0x3000, 0)); /* of no bytes, and yet a block */
	assert_live(80, 3);
	assert_int_equal(live.peak_bytes, 120);
	assert_int_equal(live.freed_bytes, 50);
	assert_int_equal(process(1)->seen.events, 5);
	assert_int_equal(process(1)->seen.allocated_bytes, 130);
	assert_int_equal(live.frees_unknown + live.frees_from_before + live.frees_inherited, 0);
	assert_int_equal(live.replaced_blocks, 0);
}

static void test_failed(void **state)
{
	struct heap_call c = failed_call(110, 1, 1 << 20);

	(void)state;
	add_heap_call(&records, malloc_call(100, 1, 0x1000, 50));
	add_heap_call(&records, c);
	c.function = HEAP_REALLOC;
	c.old_address = 0x1000;
	c.old_address_state = SOOTH_STATE_VALUE;
	add_heap_call(&records, c); /* the old block stays */
	c.size = UINT64_MAX;
	c.is_overflow = 1;
	add_heap_call(&records, c);
	add_heap_call(&records, malloc_call(120, 1, 0, 0)); /* nothing asked, nothing given */
	assert_live(50, 1);
	assert_int_equal(process(1)->seen.allocated_bytes, 50);
	assert_int_equal(live.freed_bytes, 0);
}

static void test_reallocs(void **state)
{
	(void)state;
	launched();
	add_heap_call(&records, realloc_call(100, 1, 0, 0x1000, 50)); /* of NULL: a malloc */
	assert_live(50, 1);
	add_heap_call(&records, realloc_call(110, 1, 0x1000, 0x1000, 80)); /* in place */
	assert_live(80, 1);
	add_heap_call(&records, realloc_call(120, 1, 0x1000, 0x1000, 20));
	assert_live(20, 1);
	add_heap_call(&records, realloc_call(130, 1, 0x1000, 0x2000, 90)); /* it moved */
	assert_live(90, 1);
	assert_int_equal(live.freed_bytes, 50 + 80 + 20);
	assert_int_equal(live.peak_bytes, 90);
	add_heap_call(&records, realloc_call(140, 1, 0x2000, 0, 0)); /* to nothing: a free */
	assert_live(0, 0);
	assert_int_equal(live.freed_bytes, 240);
	assert_int_equal(live.frees_unknown, 0);
	add_heap_call(&records, realloc_call(150, 1, 0x2000, 0x3000, 5)); /* of nobody's */
	assert_live(5, 1);
	assert_int_equal(live.frees_unknown, 1);
	add_heap_call(&records, realloc_call(160, 1, 0x4000, 0x4000, 6));
	assert_live(11, 2);
	assert_int_equal(live.frees_unknown, 2);
}

/* free() and reallocarray() of NULL are nothing. */
static void test_null(void **state)
{
	struct heap_call c = realloc_call(110, 1, 0, 0x1000, 8);

	(void)state;
	add_heap_call(&records, free_call(100, 1, 0));
	c.function = HEAP_REALLOCARRAY;
	add_heap_call(&records, c);
	assert_live(8, 1);
	assert_int_equal(live.frees_from_before, 0);
}

static void test_missed_free(void **state)
{
	(void)state;
	launched();
	add_heap_call(&records, malloc_call(100, 1, 0x1000, 50));
	add_heap_call(&records, malloc_call(110, 1, 0x1000, 70));
	assert_live(70, 1);
	assert_int_equal(live.replaced_blocks, 1);
	assert_int_equal(live.replaced_bytes, 50);
	assert_int_equal(live.freed_bytes, 0);
	assert_int_equal(live.peak_bytes, 70);
}

/*
 * Thread A reallocs 0x1000 from 100 to 200; inside, at 120, it is free. Thread B
 * gets that address at 150 and tells first. A's realloc must not take B's block.
 */
static void test_address_given_again_while_in_flight(void **state)
{
	struct heap_call c = realloc_call(200, 1, 0x1000, 0x2000, 90);

	(void)state;
	launched();
	c.duration_ns = 100;
	add_heap_call(&records, malloc_call(50, 1, 0x1000, 50));
	add_heap_call(&records, malloc_call(150, 1, 0x1000, 7));
	add_heap_call(&records, c);
	assert_live(97, 2);
	assert_int_equal(live.freed_bytes, 50);
	assert_int_equal(live.replaced_blocks, 0);
	assert_int_equal(live.replaced_bytes, 0);
	assert_int_equal(live.frees_unknown, 0);
	add_heap_call(&records, free_call(210, 1, 0x1000));
	add_heap_call(&records, free_call(220, 1, 0x2000));
	assert_live(0, 0);
	assert_int_equal(live.freed_bytes, 147);
}

/* The same, and B has given the address back before A tells. */
static void test_address_freed_again_while_in_flight(void **state)
{
	struct heap_call c = realloc_call(200, 1, 0x1000, 0x2000, 90);

	(void)state;
	launched();
	c.duration_ns = 100;
	add_heap_call(&records, malloc_call(50, 1, 0x1000, 50));
	add_heap_call(&records, malloc_call(150, 1, 0x1000, 7));
	add_heap_call(&records, free_call(160, 1, 0x1000));
	add_heap_call(&records, c);
	assert_live(90, 1);
	assert_int_equal(live.freed_bytes, 57);
	assert_int_equal(live.replaced_blocks, 0);
	assert_int_equal(live.frees_unknown, 0);
}

/* An earlier replacement of that address is no excuse. */
static void test_handover_of_another_time(void **state)
{
	struct heap_call c = realloc_call(500, 1, 0x1000, 0x2000, 90);

	(void)state;
	launched();
	c.duration_ns = 100;
	add_heap_call(&records, malloc_call(50, 1, 0x1000, 50));
	add_heap_call(&records, malloc_call(60, 1, 0x1000, 7));
	add_heap_call(&records, free_call(70, 1, 0x1000));
	add_heap_call(&records, c);
	assert_live(90, 1);
	assert_int_equal(live.replaced_blocks, 1);
	assert_int_equal(live.frees_unknown, 1);
}

static void test_owner_free(void **state)
{
	(void)state;
	add_target(&records, "pid");
	add_heap_call(&records, free_call(100, 1, 0x1000)); /* attached to */
	add_join(&records, 110, 1, 2, "child");
	add_heap_call(&records, free_call(120, 2, 0x1000)); /* forked */
	add_heap_call(&records, realloc_call(130, 2, 0x2000, 0x3000, 8));
	assert_live(8, 1);
	assert_int_equal(live.frees_from_before, 1);
	assert_int_equal(live.frees_inherited, 2);
	add_exec(&records, 140, 2, "program");
	add_heap_call(&records, free_call(150, 2, 0x1000));
	assert_live(0, 0);
	assert_int_equal(live.frees_unknown, 1);
	assert_string_equal(process(2)->name, "program");
	add_exec(&records, 160, 1, "other");
	add_heap_call(&records, free_call(170, 1, 0x1000));
	take_all();
	assert_int_equal(live.frees_unknown, 2);
	assert_int_equal(live.frees_from_before, 1);
}

static void test_exec(void **state)
{
	(void)state;
	launched();
	add_heap_call(&records, malloc_call(100, 1, 0x1000, 50));
	add_heap_call(&records, malloc_call(110, 1, 0x2000, 60));
	add_exec(&records, 120, 1, "next");
	add_heap_call(&records, malloc_call(130, 1, 0x1000, 7)); /* no replacement */
	assert_live(7, 1);
	assert_int_equal(live.exec_blocks, 2);
	assert_int_equal(live.exec_bytes, 110);
	assert_int_equal(live.replaced_blocks, 0);
	assert_int_equal(live.peak_bytes, 110);
	assert_int_equal(live.bytes, 7);
}

/* The peak is of those alive at the time; what a process leaves behind still is its own. */
static void test_peak_over_processes(void **state)
{
	(void)state;
	launched();
	add_heap_call(&records, malloc_call(100, 1, 0x1000, 50));
	add_join(&records, 110, 1, 2, "child");
	add_heap_call(&records, malloc_call(120, 2, 0x1000, 60)); /* another's address */
	assert_live(110, 2);
	assert_int_equal(live.peak_bytes, 110);
	add_leave(&records, 130, 2, TICKS);
	add_heap_call(&records, malloc_call(140, 1, 0x2000, 40));
	assert_live(150, 3);
	assert_int_equal(live.bytes, 90);
	assert_int_equal(heap_live_at_end(&live), 90);
	assert_int_equal(live.peak_bytes, 110);
	assert_int_equal(live.peak_ns, 120);
	assert_int_equal(process(1)->peak_bytes, 90);
	assert_int_equal(process(2)->peak_bytes, 60);
	assert_true(process(2)->has_left);
	/* A later event of the ended process counts as a call, and changes nothing. */
	add_heap_call(&records, malloc_call(150, 2, 0x5000, 1000));
	assert_live(150, 3);
	assert_int_equal(process(2)->seen.events, 2);
	assert_int_equal(live.blocks, 2);
	/* The last one was there at the end. */
	add_leave(&records, 160, 1, TICKS);
	assert_live(150, 3);
	assert_int_equal(heap_live_at_end(&live), 90);
}

static void stack_call(
	uint64_t time_ns, uint32_t pid, uint64_t address, uint64_t size, uint32_t stack)
{
	struct heap_call c = malloc_call(time_ns, pid, address, size);

	c.stack = stack;
	add_heap_call(&records, c);
}

static uint64_t at_peak(uint32_t stack)
{
	const struct heap_stack_sum *sum = map_get(&live.stacks, &stack);

	return sum ? heap_live_at_peak(&live, sum).bytes : 0;
}

/* The peak of stacks is of the processes that are there then, whatever comes later. */
static void test_peak_of_stacks(void **state)
{
	(void)state;
	launched();
	stack_call(100, 1, 0x1000, 50, 1);
	add_join(&records, 110, 1, 2, "child");
	stack_call(120, 2, 0x1000, 60, 2);
	take_all();
	assert_int_equal(at_peak(1), 50);
	assert_int_equal(at_peak(2), 60);
	add_leave(&records, 130, 2, TICKS);
	stack_call(140, 1, 0x2000, 100, 3);
	take_all();
	assert_int_equal(live.peak_bytes, 150);
	assert_int_equal(at_peak(2), 0);
	assert_int_equal(at_peak(3), 100);
	add_heap_call(&records, free_call(150, 1, 0x2000));
	stack_call(160, 1, 0x3000, 70, 1);
	take_all();
	assert_int_equal(live.peak_bytes, 150);
	assert_int_equal(at_peak(1), 50);
	assert_int_equal(at_peak(3), 100);
	stack_call(170, 1, 0x4000, 80, 4);
	take_all();
	assert_int_equal(live.peak_bytes, 200);
	assert_int_equal(at_peak(1), 120);
	assert_int_equal(at_peak(3), 0);
	assert_int_equal(at_peak(4), 80);
}

/* Not more than half of it: what the kernel added up of the others comes when they have ended. */
static void test_quiet_processes_take_no_room(void **state)
{
	(void)state;
	for (uint32_t pid = 2; pid < 100000; pid++) {
		add_join(&records, pid * 10, 1, pid, "quiet");
		add_leave(&records, pid * 10 + 5, pid, TICKS);
	}
	take_all();
	assert_in_range(live.processes.count, 1000, 32768);
	assert_int_equal(live.refused, 0);
}

static void test_bound(void **state)
{
	(void)state;
	heap_live_fini(&live);
	heap_live_init(&live, 100);
	for (uint64_t i = 1; i <= 150; i++)
		add_heap_call(&records, malloc_call(100 + i, 1 + (uint32_t)(i % 3), i << 12, 1));
	assert_live(100, 100);
	assert_int_equal(live.refused, 50);
	add_heap_call(&records, malloc_call(300, 2, 1 << 12, 5)); /* is there, though full */
	take_all();
	assert_int_equal(live.refused, 50);
	add_leave(&records, 310, 1, TICKS);
	add_heap_call(&records, malloc_call(320, 2, 999 << 12, 5));
	take_all();
	assert_int_equal(live.refused, 50);
}

/* Records that are shorter than this build knows, and kinds that do not matter. */
static void test_short_records(void **state)
{
	struct heap_call c = malloc_call(100, 1, 0x1000, 50);

	(void)state;
	c.record.words = c.record.fixed_words = 5;
	heap_live_add_record(&live, &c.record);
	add_tick(&records, 100);
	assert_live(0, 0);
	assert_int_equal(live.processes.count, 0);
}

/* --- random calls against a model --- */

#define MODEL_PIDS	3
#define MODEL_ADDRESSES 64
#define MODEL_STEPS	400000

struct model {
	uint64_t sizes[MODEL_PIDS][MODEL_ADDRESSES]; /* 0: not live */
	uint64_t bytes, peak, freed, unknown, replaced;
};

static uint64_t *model_at(struct model *m, uint32_t pid, uint64_t address)
{
	return &m->sizes[pid - 1][address >> 4];
}

static void model_add(struct model *m, uint32_t pid, uint64_t address, uint64_t size)
{
	uint64_t *at = model_at(m, pid, address);

	m->replaced += *at != 0;
	m->bytes += size - *at;
	*at = size;
	m->peak = m->bytes > m->peak ? m->bytes : m->peak;
}

static void model_drop(struct model *m, uint32_t pid, uint64_t address)
{
	uint64_t *at = model_at(m, pid, address);

	m->unknown += *at == 0;
	m->freed += *at;
	m->bytes -= *at;
	*at = 0;
}

static void model_step(struct model *m, uint64_t time_ns, uint64_t *seed)
{
	uint32_t pid = 1 + (uint32_t)random_below(seed, MODEL_PIDS);
	uint64_t a = (1 + random_below(seed, MODEL_ADDRESSES - 1)) << 4;
	uint64_t b = (1 + random_below(seed, MODEL_ADDRESSES - 1)) << 4;
	uint64_t size = 1 + random_below(seed, 1000);

	switch (random_below(seed, 8)) {
	case 0:
	case 1:
	case 2:
		add_heap_call(&records, malloc_call(time_ns, pid, a, size));
		model_add(m, pid, a, size);
		break;
	case 3:
	case 4:
		add_heap_call(&records, free_call(time_ns, pid, a));
		model_drop(m, pid, a);
		break;
	case 5: /* in place or moved; only to where nobody is: else it would be another's */
		if (b != a && *model_at(m, pid, b))
			break;
		add_heap_call(&records, realloc_call(time_ns, pid, a, b, size));
		model_drop(m, pid, a);
		model_add(m, pid, b, size);
		break;
	case 6:
		add_heap_call(&records, failed_call(time_ns, pid, size));
		break;
	default:
		add_heap_call(&records, realloc_call(time_ns, pid, a, 0, 0));
		model_drop(m, pid, a);
		break;
	}
}

static void test_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct model m = { 0 };
		uint64_t random = seed, bytes, blocks, count = 0;

		heap_live_fini(&live);
		heap_live_init(&live, HEAP_BLOCKS_MAX);
		launched();
		for (uint64_t i = 0; i < MODEL_STEPS; i++) {
			model_step(&m, 1000 + i * 100, &random);
			take_all();
			assert_true(live.bytes == m.bytes && live.peak_bytes == m.peak);
		}
		heap_live_total(&live, &bytes, &blocks);
		for (size_t p = 0; p < MODEL_PIDS; p++) {
			for (size_t i = 0; i < MODEL_ADDRESSES; i++)
				count += m.sizes[p][i] != 0;
		}
		assert_int_equal(bytes, m.bytes);
		assert_int_equal(blocks, count);
		assert_int_equal(live.blocks, count);
		assert_int_equal(live.freed_bytes, m.freed);
		assert_int_equal(live.frees_unknown, m.unknown);
		assert_int_equal(live.replaced_blocks, m.replaced);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_plain),
		TEST(test_failed),
		TEST(test_reallocs),
		TEST(test_null),
		TEST(test_missed_free),
		TEST(test_address_given_again_while_in_flight),
		TEST(test_address_freed_again_while_in_flight),
		TEST(test_handover_of_another_time),
		TEST(test_owner_free),
		TEST(test_exec),
		TEST(test_peak_over_processes),
		TEST(test_peak_of_stacks),
		TEST(test_quiet_processes_take_no_room),
		TEST(test_bound),
		TEST(test_short_records),
		TEST(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Heaps of glibc, made in this program's own memory: whole ones, and such that lie. */
#include "support.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/linux/malloc/glibc_heap.h"

#define PAGE	  4096u
#define HEAP_SIZE (64u * PAGE)
#define BIG	  (GLIBC_HEAP_BYTES)
#define IN_USE	  1u /* the block before is in use */
#define HEAD	  14 /* words from the start of an arena to its bins, of glibc 2.27 to 2.42 */
#define BINS	  254
#define STATE	  (HEAD + BINS + 2 + 5)

static uint64_t data[1024] __attribute__((aligned(4096)));
static unsigned char scratch[GLIBC_SCRATCH_BYTES] __attribute__((aligned(16)));
static struct glibc_region regions[GLIBC_REGIONS_MAX];
static unsigned char *memory; /* of the first arena */
static uint64_t filled;	      /* bytes of it in blocks */

static uint64_t address_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static uint64_t *word_at(uint64_t address)
{
	return (uint64_t *)(uintptr_t)address;
}

static void make_arena(uint64_t *arena, uint64_t next, uint64_t top, uint64_t size)
{
	memset(arena, 0, STATE * sizeof(*arena));
	arena[HEAD - 2] = top;
	for (unsigned i = 0; i < BINS; i += 2)
		arena[HEAD + i] = arena[HEAD + i + 1] = address_of(&arena[HEAD + i]) - 16;
	arena[HEAD + BINS + 2] = next;
	arena[HEAD + BINS + 5] = size;
}

static uint64_t *block(uint64_t size, bool is_before_in_use)
{
	uint64_t *b = word_at(address_of(memory) + filled);

	b[1] = size | (is_before_in_use ? IN_USE : 0);
	memset(b + 2, 'x', 8);
	filled += size;
	return b;
}

/* The rest of the first heap is its top. */
static void end_heap(uint64_t *arena)
{
	uint64_t top = address_of(memory) + filled;

	word_at(top)[1] = (HEAP_SIZE - filled) | IN_USE;
	make_arena(arena, address_of(arena), top, HEAP_SIZE);
}

static void begin_heap(void)
{
	memory = mmap(NULL, HEAP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	memset(memory, 0x33, HEAP_SIZE); /* all of it is resident */
	filled = 0;
	memset(data, 0, sizeof(data));
}

static struct glibc_heap read_heap(void)
{
	struct glibc_heap h = { .pid = getpid(),
		.process = open("/proc/self", O_PATH | O_DIRECTORY),
		.data = { { address_of(data), address_of(data) + sizeof(data) } },
		.data_count = 1,
		.brk = { address_of(memory), address_of(memory) + HEAP_SIZE },
		.is_mangled = true,
		.bytes_most = 1u << 30,
		.page_bytes = PAGE,
		.scratch = scratch,
		.regions = regions };

	do_read_glibc_heap(&h);
	close(h.process);
	return h;
}

static void end_test(void)
{
	munmap(memory, HEAP_SIZE);
}

/* --- whole heaps --- */

static void test_live_and_free(void **state)
{
	struct glibc_heap h;

	(void)state;
	begin_heap();
	block(0x290, true);
	block(10 * PAGE, true);	       /* live */
	block(20 * PAGE, true);	       /* freed: the next one says so */
	block(0x40, false);	       /* live */
	block(4 * PAGE - 0x2d0, true); /* live, up to the end of a page */
	end_heap(data);
	h = read_heap();
	assert_int_equal(h.result, GLIBC_READ);
	assert_int_equal(h.arenas, 1);
	assert_int_equal(h.sums.resident, HEAP_SIZE);
	assert_int_equal(h.sums.live, 14 * PAGE);
	assert_int_equal(h.sums.live_resident, 14 * PAGE);
	assert_int_equal(h.sums.blocks, 4);
	/* 19 whole pages in the freed block, and those of the top */
	assert_int_equal(h.sums.free_pages, 19 * PAGE + (HEAP_SIZE - 34 * PAGE));
	assert_int_equal(h.sums.unread, 0);
	end_test();
}

static void test_pages_that_are_not_there(void **state)
{
	struct glibc_heap h;

	(void)state;
	begin_heap();
	block(20 * PAGE, true);
	block(4 * PAGE, true);
	end_heap(data);
	/* A live block that was never written to, and a part of the top. */
	assert_int_equal(madvise(memory + PAGE, 10 * PAGE, MADV_DONTNEED), 0);
	assert_int_equal(madvise(memory + 30 * PAGE, 4 * PAGE, MADV_DONTNEED), 0);
	h = read_heap();
	assert_int_equal(h.result, GLIBC_READ);
	assert_int_equal(h.sums.resident, HEAP_SIZE - 14 * PAGE);
	assert_int_equal(h.sums.live, 24 * PAGE);
	assert_int_equal(h.sums.live_resident, 14 * PAGE);
	end_test();
}

/* A freed block in a list of its size has the next one, mixed with its own address. */
static void test_lists_of_freed_blocks(void **state)
{
	uint64_t *first, *second, *other;
	struct glibc_heap h;

	(void)state;
	begin_heap();
	first = block(0x40, true);
	second = block(0x40, true);
	other = block(0x40, true);
	block(0x420, true)[2] = 0; /* too large for the lists */
	end_heap(data);
	first[2] = address_of(second) ^ address_of(&first[2]) >> 12;
	second[2] = address_of(&second[2]) >> 12;			   /* the last */
	other[2] = (address_of(memory) + 8) ^ address_of(&other[2]) >> 12; /* no block is there */
	word_at(address_of(memory) + 0xc0)[2] = address_of(memory + 0xd0) >> 12;
	h = read_heap();
	assert_int_equal(h.sums.blocks, 2);
	assert_int_equal(h.sums.live, 0x40 + 0x420);
	end_test();
}

static void test_before_2_32(void **state)
{
	struct glibc_heap h = { .pid = getpid() };
	uint64_t *first;

	(void)state;
	begin_heap();
	first = block(0x40, true);
	end_heap(data);
	first[2] = address_of(&first[2]) >> 12;
	h = read_heap();
	assert_int_equal(h.sums.blocks, 0);
	h.is_mangled = false;
	h.process = open("/proc/self", O_PATH | O_DIRECTORY);
	do_read_glibc_heap(&h);
	close(h.process);
	assert_int_equal(h.sums.blocks, 1);
	end_test();
}

/* A static program took memory for itself before the first block. */
static void test_late_start(void **state)
{
	struct glibc_heap h;

	(void)state;
	begin_heap();
	filled = 0x530;
	block(0x100, true);
	end_heap(data);
	data[HEAD + BINS + 5] = HEAP_SIZE - 0x530;
	h = read_heap();
	assert_int_equal(h.result, GLIBC_READ);
	assert_int_equal(h.sums.live, 0x100);
	assert_int_equal(h.sums.resident, HEAP_SIZE - 0x530);
	end_test();
}

/* Two heaps of a second arena, of which the first is full. */
static void test_second_arena(void **state)
{
	unsigned char *room = mmap(NULL, 3 * BIG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t heap = (address_of(room) + BIG - 1) & ~(uint64_t)(BIG - 1), other = heap + BIG;
	uint64_t *arena = word_at(heap + 48), *info = word_at(other);
	uint64_t from = (heap + 48 + STATE * 8 + 15) & ~(uint64_t)15, to = heap + 8 * PAGE;
	struct glibc_heap h;

	(void)state;
	assert_true(room != MAP_FAILED);
	begin_heap();
	block(0x40, true);
	end_heap(data);
	memset(word_at(heap), 0x33, 8 * PAGE);
	memset(word_at(other), 0x33, 4 * PAGE);
	make_arena(arena, address_of(data), other + PAGE, 12 * PAGE);
	data[HEAD + BINS + 2] = address_of(arena);
	memcpy(word_at(heap), (uint64_t[]){ address_of(arena), 0, 8 * PAGE }, 24);
	memcpy(info, (uint64_t[]){ address_of(arena), heap, 4 * PAGE }, 24);
	word_at(from)[1] = (to - from - 32) | IN_USE | 4; /* live */
	word_at(to - 32)[1] = 16 | IN_USE;		  /* the marks of a full heap */
	word_at(to - 16)[1] = IN_USE;
	word_at(other + 48)[1] = (PAGE - 48) | IN_USE | 4;
	word_at(other + PAGE)[1] = 3 * PAGE | IN_USE;
	h = read_heap();
	assert_int_equal(h.result, GLIBC_READ);
	assert_int_equal(h.arenas, 2);
	assert_int_equal(h.sums.live, 0x40 + (to - from - 32) + (PAGE - 48));
	assert_int_equal(h.sums.arena_resident, (to - from) + (4 * PAGE - 48));
	assert_int_equal(h.sums.blocks, 3);
	/* One heap more than its arena names is refused. */
	info[0] = 1;
	h = read_heap();
	assert_int_equal(h.result, GLIBC_CHANGED);
	assert_int_equal(h.sums.live, 0x40);
	munmap(room, 3 * BIG);
	end_test();
}

/* --- what cannot be read --- */

static void test_refusals(void **state)
{
	struct glibc_heap h;

	(void)state;
	begin_heap();
	h = read_heap();
	assert_int_equal(h.result, GLIBC_NO_ARENA);
	make_arena(data, address_of(data), address_of(&data[HEAD - 2]), 0);
	h = read_heap();
	assert_int_equal(h.result, GLIBC_UNUSED);
	make_arena(data, address_of(data), address_of(memory) + HEAP_SIZE + 64, HEAP_SIZE);
	h = read_heap();
	assert_int_equal(h.result, GLIBC_ELSEWHERE);
	block(0x100, true);
	end_heap(data);
	make_arena(data, address_of(memory), address_of(memory) + filled, HEAP_SIZE);
	h = read_heap();
	assert_int_equal(h.result, GLIBC_NO_ARENA); /* the ring does not close */
	end_test();
}

static void test_bound(void **state)
{
	struct glibc_heap h = { 0 };

	(void)state;
	begin_heap();
	for (unsigned i = 0; i < 32 * PAGE / 0x40; i++)
		block(0x40, true);
	end_heap(data);
	h = read_heap();
	assert_int_equal(h.sums.live, 32 * PAGE);
	h.bytes_most = 16 * PAGE;
	h.process = open("/proc/self", O_PATH | O_DIRECTORY);
	do_read_glibc_heap(&h);
	close(h.process);
	assert_int_equal(h.result, GLIBC_CUT);
	assert_in_range(h.sums.live, PAGE, 16 * PAGE);
	assert_int_equal(h.sums.resident + h.sums.unread, HEAP_SIZE);
	end_test();
}

static void test_block_that_leads_nowhere(void **state)
{
	struct glibc_heap h;
	uint64_t *bad;

	(void)state;
	begin_heap();
	block(8 * PAGE, true);
	bad = block(8 * PAGE, true);
	block(8 * PAGE, true);
	end_heap(data);
	bad[1] = (8 * PAGE + 16) | IN_USE;
	h = read_heap();
	assert_int_equal(h.result, GLIBC_CHANGED);
	assert_true(h.sums.unread >= HEAP_SIZE - 24 * PAGE);
	bad[1] = 8 * PAGE | IN_USE | 2; /* it claims a mapping of its own */
	h = read_heap();
	assert_int_equal(h.result, GLIBC_CHANGED);
	assert_int_equal(h.sums.unread, HEAP_SIZE);
	end_test();
}

/* Any bytes end in a result, and no sum is larger than the heap. */
static void test_lies(void **state)
{
	unsigned seed = 1, whole = 0;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct glibc_heap h;

		begin_heap();
		for (unsigned i = 0; i < 64; i++)
			block(0x20 + 16 * (i * i % 97), i % 3);
		end_heap(data);
		for (unsigned i = 0; i < round % 8; i++) {
			uint64_t *words = i % 2 ? data : word_at(address_of(memory));

			seed = seed * 1103515245 + 12345;
			words[seed / 7 % 512] ^= 1ull << (seed >> 8) % 40;
		}
		h = read_heap();
		whole += h.result == GLIBC_READ;
		assert_true(h.sums.resident + h.sums.unread <= HEAP_SIZE + PAGE);
		assert_true(h.sums.live_resident <= h.sums.resident);
		assert_true(h.sums.free_pages <= h.sums.resident - h.sums.live_resident);
		end_test();
	}
	assert_in_range(whole, 38, 299);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_and_free),
		cmocka_unit_test(test_pages_that_are_not_there),
		cmocka_unit_test(test_lists_of_freed_blocks),
		cmocka_unit_test(test_before_2_32),
		cmocka_unit_test(test_late_start),
		cmocka_unit_test(test_second_arena),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_block_that_leads_nowhere),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of jitdumps: in pieces of any size, of other processes, moved code, sizes that are none.
 */
#include "support.h"

#include <elf.h>

#include "os/linux/profile/jit_dump.h"

#define PID 4711

static struct buffer file;

static void put_u32(uint32_t value)
{
	buffer_append(&file, &value, sizeof(value));
}

static void put_u64(uint64_t value)
{
	buffer_append(&file, &value, sizeof(value));
}

static void put_head(uint32_t pid)
{
	buffer_reset(&file);
	put_u32(0x4a695444);
	put_u32(1);
	put_u32(40);
#if defined(__x86_64__)
	put_u32(EM_X86_64);
#else
	put_u32(EM_AARCH64);
#endif
	put_u32(0);
	put_u32(pid);
	put_u64(0);
	put_u64(0);
}

static void put_load(uint64_t address, uint64_t size, const char *name)
{
	put_u32(0);
	put_u32((uint32_t)(16 + 40 + strlen(name) + 1 + size));
	put_u64(1);
	put_u32(PID);
	put_u32(PID);
	put_u64(address);
	put_u64(address);
	put_u64(size);
	put_u64(1);
	buffer_append(&file, name, strlen(name) + 1);
	for (uint64_t i = 0; i < size; i++)
		buffer_char(&file, (char)0xcc);
}

static void put_move(uint64_t from, uint64_t to, uint64_t size)
{
	put_u32(1);
	put_u32(16 + 48);
	put_u64(2);
	put_u32(PID);
	put_u32(PID);
	put_u64(to);
	put_u64(from);
	put_u64(to);
	put_u64(size);
	put_u64(1);
}

/* As it is read: what was not used comes again. */
static void take(struct perf_map_place *places, size_t count, size_t piece)
{
	struct jit_dump d = { .pid = PID };
	struct buffer rest = { 0 };

	for (size_t at = 0; at < file.size; at += piece) {
		size_t size = piece < file.size - at ? piece : file.size - at;

		buffer_append(&rest, buffer_at(&file, at), size);
		buffer_consume(&rest, jit_dump_parse(&d, places, count, rest.data, rest.size));
	}
	buffer_fini(&rest);
}

static void test_named(void **state)
{
	static const size_t pieces[] = { 1, 7, 40, 64, 100000 };

	(void)state;
	put_head(PID);
	put_load(0x1000, 0x40, "one");
	put_u32(2); /* debug information */
	put_u32(16 + 8);
	put_u64(0);
	put_u64(0);
	put_load(0x2000, 0x80, "two");
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct perf_map_place places[] = { { .address = 0xfff }, { .address = 0x103f },
			{ .address = 0x2000 }, { .address = 0x2080 } };

		take(places, 4, pieces[i]);
		assert_false(places[0].is_found || places[3].is_found);
		assert_string_equal(places[1].name, "one");
		assert_string_equal(places[2].name, "two");
		assert_int_equal(places[1].begin, 0x1000);
	}
}

static void test_reused(void **state)
{
	struct perf_map_place places[] = { { .address = 0x1010 }, { .address = 0x2010 } };

	(void)state;
	put_head(PID);
	put_load(0x1000, 0x40, "one");
	put_load(0x1008, 0x40, "other");
	put_load(0x2000, 0x40, "two");
	put_load(0x3000, 0x40, "three");
	put_move(0x3000, 0x2000, 0x40);
	take(places, 2, 100000);
	assert_true(places[0].is_reused);
	assert_true(places[1].is_reused);
}

static void test_refused(void **state)
{
	struct perf_map_place place = { .address = 0x1010 };

	(void)state;
	put_head(PID + 1);
	put_load(0x1000, 0x40, "one");
	take(&place, 1, 100000);
	assert_false(place.is_found);
	put_head(PID);
	put_u32(0);
	put_u32(15);
	put_u64(1);
	put_load(0x1000, 0x40, "one");
	take(&place, 1, 100000);
	assert_false(place.is_found);
	assert_true(jit_dump_is_path(span_of_string("/app/jit-4711.dump")));
	assert_true(jit_dump_is_path(span_of_string("/app/jit-4711.dump (deleted)")));
	assert_false(jit_dump_is_path(span_of_string("/app/jit-.dump")));
	assert_false(jit_dump_is_path(span_of_string("/app/jit-1.dumper")));
	assert_false(jit_dump_is_path(span_of_string("/app/a-jit-1.dump")));
	buffer_fini(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_reused),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations as lines: memtrack's members and nothing else, beside the report of the same records.
 */
#include "heap_records.h"
#include "shown.h"

/* The way of `sooth heap -o FILE`: one report passes its blocks on to the other. */
static const char *show(const char *format)
{
	struct sooth_report *first = report_into(&beside, "heap", "heap-table", NULL, "json");
	struct sooth_report *second = report_into(&shown, "heap", "heap-lines", NULL, format);
	struct block block = block_of(&records, BLOCK_RECORDS, 0);
	struct sooth_error err;

	report_pass_on(first, second);
	assert_int_equal(report_block(first, &block, &err), 0);
	assert_int_equal(sooth_report_finish(first, &err), 0);
	assert_int_equal(sooth_report_finish(second, &err), 0);
	sooth_report_free(first);
	sooth_report_free(second);
	text_close(&beside);
	text_close(&shown);
	assert_true(json_check(beside.data, beside.size, 1));
	return shown.data;
}

static void add_of(uint8_t function)
{
	struct heap_call c = malloc_call(100 + function, 7, 0x1000, 64);

	c.function = function;
	c.record.tid = 8;
	add_heap_call(&records, c);
}

static void test_shapes(void **state)
{
	(void)state;
	for (uint8_t function = 0; function < HEAP_FUNCTIONS; function++) {
		if (function == HEAP_FREE) {
			struct heap_call c = free_call(101, 7, 0x1000);

			c.record.tid = 8;
			add_heap_call(&records, c);
		} else if (function == HEAP_REALLOC) {
			add_heap_call(&records, realloc_call(103, 7, 0x1000, 0x2000, 128));
		} else {
			add_of(function);
		}
	}
	assert_string_equal(show("json-rows"),
		"{\"pid\":7,\"tid\":8,\"timestamp\":100,\"addr\":4096,\"type\":\"Malloc\",\"size\":"
		"64}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":101,\"addr\":4096,\"type\":\"Free\"}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":102,\"addr\":4096,\"type\":\"Calloc\",\"size\":"
		"64}\n"
		"{\"pid\":7,\"tid\":7,\"timestamp\":103,\"addr\":8192,\"type\":\"Realloc\","
		"\"size\":128,"
		"\"old_addr\":4096}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":104,\"addr\":4096,\"type\":\"Realloc\","
		"\"size\":64}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":105,\"addr\":4096,\"type\":\"AlignedAlloc\","
		"\"size\":64}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":106,\"addr\":4096,\"type\":\"AlignedAlloc\","
		"\"size\":64}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":107,\"addr\":4096,\"type\":\"AlignedAlloc\","
		"\"size\":64}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":108,\"addr\":4096,\"type\":\"AlignedAlloc\","
		"\"size\":64}\n"
		"{\"pid\":7,\"tid\":8,\"timestamp\":109,\"addr\":4096,\"type\":\"AlignedAlloc\","
		"\"size\":64}\n");
	assert_true(json_check(shown.data, shown.size, HEAP_FUNCTIONS));
	assert_true(has(beside.data, "\"calls\": 10,"));
}

/* Kept: what was asked for, that nothing came, and why. */
static void test_failed(void **state)
{
	struct heap_call overflow = failed_call(20, 7, UINT64_MAX);

	(void)state;
	overflow.function = HEAP_CALLOC;
	overflow.is_overflow = 1;
	add_heap_call(&records, failed_call(10, 7, 1 << 30));
	add_heap_call(&records, overflow);
	assert_string_equal(show("json-rows"),
		"{\"pid\":7,\"tid\":7,\"timestamp\":10,\"addr\":0,\"type\":\"Malloc\","
		"\"size\":1073741824,\"error\":\"ENOMEM\"}\n"
		"{\"pid\":7,\"tid\":7,\"timestamp\":20,\"addr\":0,\"type\":\"Calloc\","
		"\"size\":18446744073709551615,\"error\":\"ENOMEM\"}\n");
}

/* Other records, tallies and losses make no line; a function of a later probe is a number. */
static void test_nothing_else(void **state)
{
	struct heap_count count = { .record = heap_head(HEAP_COUNT, 5, 7), .count = 3 };

	(void)state;
	add_heap_source(&records);
	add_loss(&records, 6, "heap", 5);
	RECORD_APPEND(&records, &count, NULL, 0);
	assert_string_equal(show("json-rows"), "");
	add_of(200);
	assert_true(has(show("json-rows"), "\"type\":200,"));
}

/* In the other formats too: a line has one type. */
static void test_other_formats(void **state)
{
	const char *first;

	(void)state;
	add_of(HEAP_MALLOC);
	add_heap_call(&records, failed_call(300, 7, 10));
	assert_true(has(show("table"), "0.000000 8: Malloc 64 = 0x1000\n"));
	assert_true(has(shown.data, "Malloc 10 = 0x0 ENOMEM\n"));
	first = strstr(show("jsonl"), "\"type\":\"Malloc\"");
	assert_non_null(first);
	assert_false(has(shown.data, "\"type\":\"allocation\""));
	assert_true(json_check(shown.data, shown.size, 4));
}

static void test_only_counted(void **state)
{
	struct heap_count count = { .record = heap_head(HEAP_COUNT, 5, 7), .count = 3 };

	(void)state;
	RECORD_APPEND(&records, &count, NULL, 0);
	assert_true(has(show("table"), "not measured: every allocation: the kernel only counted "
				       "the calls: single calls were not recorded"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_shapes),
		TEST(test_failed),
		TEST(test_nothing_else),
		TEST(test_other_formats),
		TEST(test_only_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

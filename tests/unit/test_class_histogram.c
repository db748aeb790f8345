/* SPDX-License-Identifier: BSD-2-Clause */
/* Class histograms as JVMs of several versions print them, and lines that are none. */
#include "support.h"

#include "os/linux/runtimes/java/class_histogram.h"

/* The classes of a text: "INSTANCES BYTES NAME[ of the runtime]\n". */
static const char *classes_of(const char *text)
{
	static struct buffer out;
	struct cursor c = cursor_over(text, strlen(text));
	struct class_row row;

	buffer_reset(&out);
	while (class_histogram_next(&c, &row)) {
		buffer_format(&out, "%llu %llu ", (unsigned long long)row.instances,
			(unsigned long long)row.bytes);
		class_name_put(&out, row.name);
		buffer_string(&out, row.is_of_runtime ? " of the runtime\n" : "\n");
	}
	return buffer_cstr(&out);
}

static void test_modules(void **state)
{
	(void)state;
	assert_string_equal(
		classes_of(
			" num     #instances         #bytes  class name (module)\n"
			"-------------------------------------------------------\n"
			"   1:          4031         511664  [B (java.base@17.0.15)\n"
			"   2:            20            480  Ledger$Entry\n"
			"   3:             2             96  [[LLedger$Entry;\n"
			"   4:             1             64  [Ljava.lang.Object; (java.base@17)\n"
			"   5:             1             32  java.extra.Thing (my.module@1)\n"
			"   6:             1             16  jdk.internal.X (jdk.compiler@17)\n"
			"Total          4056         512352\n"),
		"4031 511664 byte[] of the runtime\n20 480 Ledger$Entry\n2 96 Ledger$Entry[][]\n"
		"1 64 java.lang.Object[] of the runtime\n1 32 java.extra.Thing\n"
		"1 16 jdk.internal.X of the runtime\n");
}

static void test_before_modules(void **state)
{
	(void)state;
	assert_string_equal(
		classes_of("   1:  7  700  [C\n   2:  6  600  <methodKlass>\n"
			   "   3:  5  500  [Ljava.util.HashMap$Node;\n"
			   "   4:  4  400  javafake.Thing\n   5:  3  300  [Lfake.Thing;\n"
			   "   6:  2  200  com.sun.proxy.$Proxy1\n"),
		"7 700 char[] of the runtime\n6 600 <methodKlass> of the runtime\n"
		"5 500 java.util.HashMap$Node[] of the runtime\n4 400 javafake.Thing\n"
		"3 300 fake.Thing[]\n2 200 com.sun.proxy.$Proxy1 of the runtime\n");
}

static void test_lies(void **state)
{
	char longest[CLASS_NAME_MOST + 100] = "1: 2 3 ";
	struct cursor c;
	struct class_row row;

	(void)state;
	assert_string_equal(
		classes_of("1: 2\n1 2 3 A\n1: -2 3 A\n1: 99999999999999999999 3 A\n: 2 3 "
			   "A\n1: 2 3 \n1: 2 3 [\n1: 2 3 [[Q\n1: 2 3 A (java.base"),
		"2 3 []\n2 3 Q[][] of the runtime\n2 3 A of the runtime\n");
	memset(longest + 7, 'a', sizeof(longest) - 7);
	c = cursor_over(longest, sizeof(longest));
	assert_true(class_histogram_next(&c, &row));
	assert_int_equal(row.name.size, CLASS_NAME_MOST);
}

static void test_whole(void **state)
{
	(void)state;
	assert_true(class_histogram_is_whole(span_of_string("1: 2 3 A\nTotal 2 3\n")));
	assert_false(class_histogram_is_whole(span_of_string("1: 2 3 A\n")));
	assert_false(class_histogram_is_whole(span_of_string("Total 1\n1: 2 3 A\n")));
	assert_false(class_histogram_is_whole(span_of_string("\n")));
	assert_false(class_histogram_is_whole(span_of_string("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_modules),
		cmocka_unit_test(test_before_modules), cmocka_unit_test(test_lies),
		cmocka_unit_test(test_whole) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

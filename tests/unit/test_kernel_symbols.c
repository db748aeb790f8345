/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for kernel addresses, from lines in any order. */
#include "support.h"

#include "os/linux/profile/kernel_symbols.h"

static const char lines[] = "ffffffff81000000 T first\n"
			    "ffffffff81000100 d data\n"
			    "ffffffff81000200 t second\t[module]\n"
			    "ffffffff81000180 T between\n"
			    "nonsense\n"
			    "ffffffff81900000 T far\n";

static void test_nearest(void **state)
{
	struct kernel_symbol symbols[] = { { .address = 0xffffffff80ffffff },
		{ .address = 0xffffffff81000150 }, { .address = 0xffffffff810001ff },
		{ .address = 0xffffffff81000200 }, { .address = 0xffffffff81500000 } };

	(void)state;
	assert_int_equal(kernel_symbols_parse(symbols, 5, lines, sizeof(lines) - 1), 4);
	assert_int_equal(symbols[0].begin, 0);
	assert_string_equal(symbols[1].name, "first"); /* data is no function */
	assert_string_equal(symbols[2].name, "between");
	assert_string_equal(symbols[3].name, "second");
	assert_int_equal(symbols[3].begin, 0xffffffff81000200);
	assert_int_equal(symbols[4].begin, 0); /* too far from any function */
}

static void test_hidden(void **state)
{
	static const char hidden[] = "0000000000000000 T first\n";
	struct kernel_symbol symbol = { .address = 4 };

	(void)state;
	assert_int_equal(kernel_symbols_parse(&symbol, 1, hidden, sizeof(hidden) - 1), 0);
	assert_int_equal(symbol.begin, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_hidden) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

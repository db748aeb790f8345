/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of C++ and Rust, whole and shortened, and names that are made to grow. */
#include "support.h"

#include "base/demangle.h"

static struct buffer out;

static const char *named(const char *name, enum demangle_style style)
{
	buffer_reset(&out);
	demangle(&out, span_of_string(name), style);
	return buffer_cstr(&out);
}

static const struct {
	const char *symbol, *full, *brief;
} cases[] = {
	{ "_Z3addIiET_S0_S0_", "add<int>", "add" },
	{ "_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back",
		"std::vector::push_back" },
	{ "_ZNKSt8functionIFvvEEclEv", "std::function<void ()>::operator()",
		"std::function::operator()" },
	{ "_ZN12_GLOBAL__N_13fooEv", "(anonymous namespace)::foo", "(anonymous namespace)::foo" },
	{ "_ZlsIiERSoS0_RKSt6vectorIT_SaIS2_EE", "operator<< <int>", "operator<<" },
	{ "_ZN4NodeptEv", "Node::operator->", "Node::operator->" },
	{ "_ZN4NodeltEv", "Node::operator<", "Node::operator<" },
	/* Rust, legacy: without the hash */
	{ "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt",
		"core::fmt::Write::write_fmt" },
	{ "_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt"
	  "17h0123456789abcdefE",
		"<alloc::string::String as core::fmt::Display>::fmt",
		"<alloc::string::String as core::fmt::Display>::fmt" },
	/* Rust, v0 */
	{ "_RNvMs_NtCs1234_7mycrate3fooNtB4_3Bar3baz", "<mycrate::foo::Bar>::baz",
		"<mycrate::foo::Bar>::baz" },
	{ "_RINvCsb_1c3addlE", "c::add::<i32>", "c::add" },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(named(cases[i].symbol, DEMANGLE_NONE), cases[i].symbol);
#ifdef HAVE_LIBIBERTY
		assert_string_equal(named(cases[i].symbol, DEMANGLE_FULL), cases[i].full);
		assert_string_equal(named(cases[i].symbol, DEMANGLE_SHORT), cases[i].brief);
#else
		assert_string_equal(named(cases[i].symbol, DEMANGLE_FULL), cases[i].symbol);
#endif
	}
}

static void test_others(void **state)
{
	static const char *const plain[] = { "main", "", "_Z", "_ZN", "_R", "_start", "_ZZZZ",
		"_RNvC", "a;b", "[JIT]", "foo<bar>" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		assert_string_equal(named(plain[i], DEMANGLE_FULL), plain[i]);
		assert_string_equal(named(plain[i], DEMANGLE_SHORT), plain[i]);
	}
}

/* Each argument is a pair of the one before: the name grows far beyond its bytes. */
static void test_growing(void **state)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct buffer name = { 0 };

	(void)state;
	buffer_string(&name, "_Z1fI1PIiiES_IS0_S0_E");
	for (const char *digit = digits + 1; *digit; digit++)
		buffer_format(&name, "S_IS%c_S%c_E", *digit, *digit);
	buffer_string(&name, "Evv");
	assert_string_equal(named(buffer_cstr(&name), DEMANGLE_FULL), buffer_cstr(&name));
	buffer_fini(&name);
	/* The same, short enough. */
	assert_true(named("_Z1fI1PIiiES_IS0_S0_EEvv", DEMANGLE_FULL)[0] == 'f');
}

static void test_long(void **state)
{
	struct buffer name = { 0 };

	(void)state;
	buffer_string(&name, "_Z");
	for (int i = 0; i < 3000; i++)
		buffer_char(&name, 'P');
	buffer_string(&name, "i");
	assert_string_equal(named(buffer_cstr(&name), DEMANGLE_FULL), buffer_cstr(&name));
	buffer_fini(&name);
}

static int fini(void **state)
{
	(void)state;
	buffer_fini(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, fini);
}

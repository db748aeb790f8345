/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of functions from the text around their start: each form that a bundler writes, and the
 * texts that look like one and are none. "@" marks the start.
 */
#include "support.h"

#include "os/linux/runtimes/jsc/js_text.h"

static bool name_in(const char *text, struct buffer *out)
{
	const char *at = strchr(text, '@');

	assert_non_null(at);
	buffer_reset(out);
	return js_text_name(span_of(text, (size_t)(at - text)), span_of_string(at + 1), out);
}

struct example {
	const char *text, *name;
};

static void check(const struct example examples[], size_t count)
{
	struct buffer out = { 0 };

	for (size_t i = 0; i < count; i++) {
		bool is_found = name_in(examples[i].text, &out);

		if (!examples[i].name && is_found)
			fail_msg("%s: %s", examples[i].text, buffer_cstr(&out));
		if (examples[i].name && !is_found)
			fail_msg("%s: none", examples[i].text);
		if (examples[i].name)
			assert_string_equal(buffer_cstr(&out), examples[i].name);
		else
			assert_int_equal(out.size, 0);
	}
	buffer_fini(&out);
}

static void test_own_names(void **state)
{
	static const struct example examples[] = {
		{ ";@function order(a){", "order" },
		{ ";@async function*Kd(a){", "Kd" },
		{ ";@function* $a_1 (a){", "$a_1" },
		{ ";@async function a(", "a" },
		{ ";async function*@Kd(a){", "Kd" },
		{ ";function order@(a){", "order" },
		{ ";async function*Kd@(a){", "Kd" },
		{ "{submit@(a){return 1}", "submit" },
		{ "{submit(){},@next(a){", "next" },
		{ "{async*stream@(a,{b}){", "stream" },
		{ "{get total@(){", "total" },
		{ "{#hidden@(){", "#hidden" },
		{ "{delete@(a){", "delete" },
		{ "{get@(a,b=[1,2]){", "get" },
		{ "{a:1,@get total(){", "total" },
		{ "{@static async*#of(a){", "#of" },
		{ "{@async get(a){", "get" },
		{ "{@async(a){", "async" },
		{ "{@*next(){", "next" },
		{ ";class Shop{@constructor(a){", "Shop" },
		{ ";class Shop extends Place{@constructor(a){", "Shop" },
		{ ";Shop=class{@constructor(a){", "Shop" },
		{ ";Shop=class extends Place{@constructor(a){", "Shop" },
		{ ";class Shop{a(){}@constructor(a){", "constructor" },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

/* The code of an async function or of a generator starts behind its parameters. */
static void test_bodies(void **state)
{
	static const struct example examples[] = {
		{ ";async function order(a)@{", "order" },
		{ ";function*order(a,{b:c},d=f(1))@{", "order" },
		{ "{async stream(a)@{", "stream" },
		{ "{async delete(a)@{", "delete" },
		{ ";x=async function(a)@{", "x" },
		{ ";x=async(a)=>@{", "x" },
		{ ";x=async a=>@{", "x" },
		{ ";x = async (a) => @{", "x" },
		{ "{call:async(a)=>@{", "call" },
		{ ";f.then(async()=>@{", "cb:then" },
		{ ";x=async()=>@await 1", "x" },
		{ ";x=async()=>@f(1)", NULL },
		{ ";x=(a)=>@{", NULL },
		{ ";x=async()=>@()=>1", NULL },
		{ ";x=async()=>@a=>1", NULL },
		{ ";async function order(a=\")\\\"\")@{", NULL },
		{ ";{@{", NULL },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

static void test_values(void **state)
{
	static const struct example examples[] = {
		{ ";let x=@()=>1", "x" },
		{ ";let x = @(a,b)=>1", "x" },
		{ ";x=@a=>1", "x" },
		{ ";x=@async a=>1", "x" },
		{ ";x=async@(a)=>1", "x" },
		{ ";a.b.on=@function(a){", "on" },
		{ ";a.#on=@function(a){", "#on" },
		{ ";x?"
		  "?=@()=>1",
			"x" },
		{ ";x||=@()=>1", "x" },
		{ "{call:@async(a)=>1", "call" },
		{ "{a:1,callModel:async@(a)=>1", "callModel" },
		{ "{a:1,call:async function@(a){", "call" },
		{ "{'call':@async(a)=>1", "call" },
		{ "{\"call\" : @function(a){", "call" },
		{ ";x=function*@(){", "x" },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

static void test_passed(void **state)
{
	static const struct example examples[] = {
		{ ";new Promise(@(a,b)=>{", "cb:Promise" },
		{ ";a.then(@a=>1", "cb:then" },
		{ ";a.on(\"data\",@(a)=>1", "cb:on" },
		{ ";a.on('data', b[1], f(2), @async(a)=>1", "cb:on" },
		{ ";a.#each(@function(){", "cb:#each" },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

static void test_none(void **state)
{
	static const struct example examples[] = {
		{ "@", NULL },
		{ ";@order", NULL },
		{ ";@123(a){", NULL },
		{ ";a?b:@()=>1", NULL },
		{ ";f(c,a?b:@()=>1", NULL },
		{ ";a?b.c:@()=>1", NULL },
		{ ";case x:@()=>1", NULL },
		{ ";a==@()=>1", NULL },
		{ ";a<=@()=>1", NULL },
		{ ";a=>@()=>1", NULL },
		{ ";return@(a)=>1", NULL },
		{ ";return @(a)=>1", NULL },
		{ ";if(@(a)=>1", NULL },
		{ ";(@(a)=>1", NULL },
		{ "// @bun-cjs\n(@function(a,b){", NULL },
		{ ";@f(a);{", NULL },
		{ ";a=>@b=>1", NULL },
		{ ";(0,a)(@(a)=>1", NULL },
		{ ";f([1,@(a)=>1", NULL },
		{ ";f({a,@(a)=>1", NULL },
		{ ";f(`(${a}`,@(a)=>1", NULL },
		{ ";f(\"a(\",@(a)=>1", NULL },
		{ ";f(/\\(/,@(a)=>1", NULL },
		{ "{[Symbol.iterator]@(){", NULL },
		{ "x=@()=>1", NULL },	       /* the name may have begun before */
		{ ";\xc3\xa9t=@()=>1", NULL }, /* a part of a name */
		{ ";@return(a)", NULL },
	};

	(void)state;
	check(examples, ARRAY_SIZE(examples));
}

static void test_bounds(void **state)
{
	char text[JS_TEXT_NAME + 8] = ";";
	struct buffer out = { 0 };

	(void)state;
	memset(text + 1, 'a', JS_TEXT_NAME);
	memcpy(text + 1 + JS_TEXT_NAME, "=@()=>", 7);
	assert_true(name_in(text, &out));
	assert_int_equal(out.size, JS_TEXT_NAME);
	memcpy(text + 1 + JS_TEXT_NAME, "a=@()", 6);
	assert_false(name_in(text, &out));
	buffer_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_names),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_passed),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

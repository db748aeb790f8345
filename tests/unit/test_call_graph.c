/* SPDX-License-Identifier: BSD-2-Clause */
/* Names by number, stacks as a tree, two of them compared, and what sinks make of both. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/graphs/call_graph_rows.h"
#include "base/escape.h"
#include "explain/registry.h"
#include "sinks/svg.h"

static struct span span(const char *text)
{
	return span_of(text, strlen(text));
}

static void test_names(void **state)
{
	struct names n;
	bool is_new;

	(void)state;
	names_init(&n, 3, 10);
	assert_int_equal(names_put(&n, span("read"), &is_new), 0);
	assert_true(is_new);
	assert_int_equal(names_put(&n, span(""), &is_new), 1);
	assert_int_equal(names_put(&n, span("read"), &is_new), 0);
	assert_false(is_new);
	assert_int_equal(names_put(&n, span("too long a name"), &is_new), NAMES_NONE);
	assert_false(is_new);
	assert_int_equal(names_put(&n, span("write"), NULL), 2);
	assert_int_equal(names_put(&n, span("x"), NULL), NAMES_NONE);
	assert_true(span_equal(names_get(&n, 2), "write"));
	assert_int_equal(names_get(&n, 1).size, 0);
	assert_int_equal(names_count(&n), 3);
	names_fini(&n);
}

/* "a;b;c" with calls; times are ten times as many. */
static void add(struct call_graph *g, const char *text, uint64_t calls)
{
	struct call_graph_values values = { { calls, 10 * calls, 0, 0 } };
	struct call_graph_frame stack[CALL_GRAPH_DEPTH_MAX + 10];
	size_t depth = 0;

	for (;; text++) {
		size_t size = strcspn(text, ";");

		stack[depth++] = (struct call_graph_frame){ span_of(text, size), 0 };
		text += size;
		if (!*text)
			break;
	}
	call_graph_add(g, stack, depth, &values);
}

static void test_sums_and_order(void **state)
{
	struct call_graph g;
	struct buffer sums = { 0 }, order = { 0 }, told = { 0 };

	(void)state;
	assert_int_equal(call_graph_init(&g), 0);
	add(&g, "b;x", 1);
	add(&g, "a;y;z", 5);
	add(&g, "a", 2);
	add(&g, "a;x", 5);
	add(&g, "c", 1);
	assert_true(call_graph_sums(&g, &sums));
	assert_true(call_graph_order(&g, (const void *)sums.data, CALL_GRAPH_CALLS, &order));
	for (size_t i = 0; i < order.size / sizeof(uint32_t); i++) {
		uint32_t number = ((const uint32_t *)(const void *)order.data)[i];
		const struct call_graph_values *sum =
			&((const struct call_graph_values *)(const void *)sums.data)[number];
		struct span name = call_graph_name(&g, call_graph_node(&g, number));

		buffer_format(&told, "%.*s%u=%llu ", (int)name.size, name.data,
			call_graph_node(&g, number)->depth,
			(unsigned long long)sum->of[CALL_GRAPH_CALLS]);
		assert_int_equal(sum->of[CALL_GRAPH_TIME], 10 * sum->of[CALL_GRAPH_CALLS]);
	}
	assert_string_equal(buffer_cstr(&told), "a1=12 x2=5 y2=5 z3=5 b1=1 x2=1 c1=1 ");
	buffer_fini(&sums);
	buffer_fini(&order);
	buffer_fini(&told);
	call_graph_fini(&g);
}

/* More children than a list holds are found again all the same. */
static void test_many_children(void **state)
{
	struct call_graph g;
	char text[16];

	(void)state;
	assert_int_equal(call_graph_init(&g), 0);
	for (int i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "p;c%d", i % 100);
		add(&g, text, 1);
	}
	assert_int_equal(call_graph_count(&g), 102);
	for (size_t i = 2; i < 102; i++)
		assert_int_equal(call_graph_node(&g, i)->own.of[CALL_GRAPH_CALLS], 3);
	call_graph_fini(&g);
}

/* Frames that are too deep stay with the deepest frame that is kept, and are counted. */
static void test_too_deep(void **state)
{
	char text[2 * (CALL_GRAPH_DEPTH_MAX + 5) + 1];
	struct buffer sums = { 0 };
	struct call_graph g;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 2 ? ';' : 'f';
	text[sizeof(text) - 2] = '\0';
	assert_int_equal(call_graph_init(&g), 0);
	add(&g, text, 7);
	assert_int_equal(g.shortened, 1);
	assert_int_equal(call_graph_count(&g), CALL_GRAPH_DEPTH_MAX + 1);
	assert_true(call_graph_sums(&g, &sums));
	assert_int_equal(((struct call_graph_values *)(void *)sums.data)->of[CALL_GRAPH_CALLS], 7);
	buffer_fini(&sums);
	call_graph_fini(&g);
}

/* --- what sinks make of it --- */

static char *reported_by(const char *sink, const struct call_graph *a, const struct call_graph *b,
	const struct call_graph_look *look)
{
	struct call_graph_comparison both = { .a = a, .b = b, .a_scale = 2, .noise_share = 0.1 };
	struct report_head head = { "test", 1 };
	struct sooth_error err;
	struct output *o;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_int_equal(output_new(&o, &err), 0);
	assert_int_equal(output_add_sink(o, registry_sink(sink),
				 &(struct sink_options){ .stream = stream }, &err),
		0);
	assert_int_equal(output_begin(o, &head, &err), 0);
	assert_int_equal(
		b ? call_graph_compare(&both, look, o, &err) : call_graph_emit(a, look, o, &err),
		0);
	assert_int_equal(output_end(o, &err), 0);
	output_free(o);
	fclose(stream);
	return text;
}

static void test_folded(void **state)
{
	struct call_graph_look look = { .value = CALL_GRAPH_CALLS };
	struct call_graph a, b;
	char *text;

	(void)state;
	assert_int_equal(call_graph_init(&a), 0);
	assert_int_equal(call_graph_init(&b), 0);
	add(&a, "p;q;r", 3);
	add(&a, "p;q", 2);
	add(&a, "s", 1);
	add(&b, "p;q;r", 6);
	add(&b, "new", 4);
	text = reported_by("folded", &a, NULL, &look);
	assert_string_equal(text, "p;q;r 3\np;q 2\ns 1\n");
	free(text);
	/* Times are written in microseconds, and what is less than half of one is not. */
	look.value = CALL_GRAPH_TIME;
	add(&a, "p;q;long", 1000);
	text = reported_by("folded", &a, NULL, &look);
	assert_string_equal(text, "p;q;long 10\n");
	free(text);
	/* The first is taken twice; the larger comes first. */
	look.value = CALL_GRAPH_CALLS;
	text = reported_by("folded", &a, &b, &look);
	assert_string_equal(text, "p;q;long 2000 0\np;q;r 6 6\np;q 4 0\nnew 0 4\ns 2 0\n");
	free(text);
	call_graph_fini(&a);
	call_graph_fini(&b);
}

static void test_a_picture(void **state)
{
	struct call_graph_look look = { .title = "a <title>", .value = CALL_GRAPH_CALLS };
	struct call_graph g;
	char *text;

	(void)state;
	assert_int_equal(call_graph_init(&g), 0);
	add(&g, "p;</script><b>\x1b", 3);
	add(&g, "p;q", 1);
	text = reported_by("flamegraph", &g, NULL, &look);
	assert_non_null(strstr(text, "<title>A &lt;title&gt;: width = calls</title>"));
	assert_non_null(strstr(text, "\"\\u003c/script\\u003e\\u003cb\\u003e\\\\x1b\""));
	assert_null(strstr(text, "</script><b>"));
	/* Three quarters of 1176. */
	assert_non_null(strstr(text, "width=\"882\" height=\"17\""));
	assert_non_null(strstr(text, "3 calls, 75.0 % of all"));
	free(text);
	call_graph_fini(&g);
}

/* A report without stacks cannot be a picture. */
static void test_nothing_to_draw(void **state)
{
	struct report_head head = { "test", 1 };
	struct sooth_error err;
	struct output *o;

	(void)state;
	assert_int_equal(output_new(&o, &err), 0);
	assert_int_equal(output_add_sink(o, registry_sink("flamegraph"),
				 &(struct sink_options){ .stream = stdout }, &err),
		0);
	assert_int_equal(output_begin(o, &head, &err), 0);
	assert_true(output_end(o, &err) < 0);
	assert_string_equal(err.why, "a flamegraph shows stacks, and this report has none");
	output_free(o);
}

/* --- pieces of SVG --- */

static void check_fitted(const char *text, double columns, const char *expected)
{
	struct buffer out = { 0 };

	svg_fitted(&out, text, strlen(text), columns);
	assert_string_equal(buffer_cstr(&out), expected);
	buffer_fini(&out);
}

static void test_svg_texts(void **state)
{
	struct buffer out = { 0 };
	char longer[10240];

	(void)state;
	check_fitted("read", 10, "read");
	check_fitted("read", 2, "");
	check_fitted("a<b&c", 5, "a&lt;b&amp;c");
	check_fitted("dispatch", 5, "disp…");
	check_fitted("/usr/lib/x.js", 6, "…/x.js");
	check_fitted("漢字漢字", 5, "漢字…");
	memset(longer, 'x', sizeof(longer));
	svg_plain(&out, longer, sizeof(longer));
	assert_int_equal(out.size, SVG_NAME_MAX);
	assert_memory_equal(out.data + out.size - 3, "…", 3);
	buffer_reset(&out);
	svg_plain(&out, longer, SVG_NAME_MAX);
	assert_int_equal(out.size, SVG_NAME_MAX);
	assert_int_equal(out.data[out.size - 1], 'x');
	buffer_reset(&out);
	/* A character of four bytes where the cut would be stays whole, or goes. */
	memcpy(longer + SVG_NAME_MAX - 4, "😀", 4);
	svg_plain(&out, longer, SVG_NAME_MAX + 1);
	for (size_t at = 0, length; at < out.size; at += length) {
		length = utf8_length((const char *)out.data + at, out.size - at);
		assert_true(length > 0);
	}
	buffer_fini(&out);
}

static void check_number(double value, const char *expected)
{
	struct buffer out = { 0 };

	svg_number(&out, value);
	assert_string_equal(buffer_cstr(&out), expected);
	buffer_fini(&out);
}

static void test_svg_numbers(void **state)
{
	(void)state;
	check_number(0, "0");
	check_number(12, "12");
	check_number(0.5, "0.5");
	check_number(1.005, "1");
	check_number(2.25, "2.25");
	check_number(-3.1, "-3.1");
	check_number(1e300, "0");
	check_number(0.0 / 0.0, "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sums_and_order),
		cmocka_unit_test(test_many_children),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_folded),
		cmocka_unit_test(test_a_picture),
		cmocka_unit_test(test_nothing_to_draw),
		cmocka_unit_test(test_svg_texts),
		cmocka_unit_test(test_svg_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The context of a trace, which a process may write as it likes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/trace_parent.h"
#include "recognize/markers.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN  "b7ad6b7169203331"
#define GOOD  "00-" TRACE "-" SPAN "-01"

static void the_ids(void **state)
{
	static const unsigned char trace[] = { 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84,
		0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c };
	static const unsigned char span[] = { 0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31 };
	struct trace_parent p;

	(void)state;
	assert_true(trace_parent_parse(&p, span_of_string(GOOD)));
	assert_memory_equal(p.trace, trace, sizeof(trace));
	assert_memory_equal(p.span, span, sizeof(span));
	assert_true(trace_parent_parse(&p, span_of_string("00-" TRACE "-" SPAN "-ff")));
}

static void each_other_text_is_refused(void **state)
{
	static const char *const bad[] = { "", "00", GOOD "-", GOOD " ", GOOD "\n", " " GOOD,
		"01-" TRACE "-" SPAN "-01", "ff-" TRACE "-" SPAN "-01", "00-" TRACE "-" SPAN "-0",
		"00-" TRACE "-" SPAN "-0G", "00-" TRACE "-" SPAN "-0A",
		"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01",
		"00-00000000000000000000000000000000-" SPAN "-01",
		"00-" TRACE "-0000000000000000-01", "00_" TRACE "-" SPAN "-01",
		"00-" TRACE "_" SPAN "-01", "00-" TRACE "-" SPAN "_01",
		"00-0af7651916cd43dd8448eb211c8031\xc3\xa9-" SPAN "-01",
		"00-0af7651916cd43dd8448eb211c80319\x1b-" SPAN "-01" };
	char text[TRACE_PARENT_SIZE];
	struct trace_parent p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(trace_parent_parse(&p, span_of_string(bad[i])));
	for (size_t i = 0; i < sizeof(text); i++) { /* a wrong character at each place */
		for (const char *bad_one = "\x10\x19\x1a"
					   "AFg:/ \xff";
			*bad_one; bad_one++) {
			memcpy(text, GOOD, sizeof(text));
			text[i] = *bad_one;
			assert_false(trace_parent_parse(&p, span_of(text, sizeof(text))));
		}
		text[i] = '\0';
		assert_false(trace_parent_parse(&p, span_of(text, sizeof(text))));
	}
}

static void check_markers(const char *environment, size_t size, bool is_of_agent, const char *found)
{
	struct buffer out = { 0 };

	proc_markers_find(&out, NULL, environment, size, false);
	assert_int_equal(out.size, strlen(found));
	for (size_t i = 0; i < out.size; i++)
		assert_int_equal(out.data[i] ? out.data[i] : '|', found[i]);
	assert_int_equal(
		proc_markers_are_of_agent(span_of((const char *)out.data, out.size)), is_of_agent);
	buffer_fini(&out);
}

#define MARKERS(environment, is_of_agent, found)                                                   \
	check_markers(environment, sizeof(environment), is_of_agent, found)

/* Any program may have a trace: that makes it none of an agent's, and no other value is kept. */
static void the_variable_is_no_marker(void **state)
{
	(void)state;
	MARKERS("A=1\0TRACEPARENT=" GOOD "\0TRACESTATE=x=y", false, "TRACEPARENT=" GOOD "|");
	MARKERS("TRACEPARENT=" GOOD "\0CLAUDECODE=1", true, "TRACEPARENT=" GOOD "|CLAUDECODE=1|");
	MARKERS("CLAUDECODE=1\0TRACEPARENT=" GOOD, true, "CLAUDECODE=1|TRACEPARENT=" GOOD "|");
	MARKERS("TRACEPARENT=" GOOD "0\0traceparent=" GOOD "\0TRACEPARENT\0XTRACEPARENT=" GOOD,
		false, "");
	MARKERS("TRACEPARENT=" GOOD "\0TRACEPARENT=00-" SPAN TRACE "-" SPAN "-01", false,
		"TRACEPARENT=" GOOD "|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ids),
		cmocka_unit_test(each_other_text_is_refused),
		cmocka_unit_test(the_variable_is_no_marker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of logs of many programs: which report an error, and which messages are alike. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/log_tail.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct log_line read_line(const char *text, bool is_log)
{
	struct log_line line;

	log_line_read(&line, span_of_string(text), is_log);
	return line;
}

static void test_kinds(void **state)
{
	static const struct {
		const char *line;
		enum log_line_kind kind;
		const char *message; /* NULL: any */
	} cases[] = {
		{ "2026-11-26 21:02:09,123 ERROR worker: no such table: jobs", LOG_LINE_ERROR,
			"worker: no such table: jobs" },
		{ "2026-11-26 21:02:09,123 INFO worker: 3 jobs done", LOG_LINE_ROUTINE, NULL },
		{ "[8.714s][info][gc] GC(106) Pause Full (Allocation Failure) 38M->37M(38M) 46ms",
			LOG_LINE_ROUTINE, NULL },
		{ "[8.714s][error][gc] cannot commit memory", LOG_LINE_ERROR,
			"cannot commit memory" },
		{ "7:M 26 Nov 2026 21:02:09.123 # Background saving terminated by signal 25",
			LOG_LINE_ERROR, "Background saving terminated by signal 25" },
		{ "2026/11/26 21:02:09 worker exited with code 3", LOG_LINE_ERROR, NULL },
		{ "2026/11/26 21:02:09 worker exited with code 0", LOG_LINE_ROUTINE, NULL },
		{ "2026-11-26 21:02:09 [warn] slow answer", LOG_LINE_ROUTINE, "slow answer" },
		{ "2026-11-26 21:02:09 [warn] answer timed out", LOG_LINE_WARNING,
			"answer timed out" },
		{ "time=2026-11-26T21:02:09Z level=error msg=\"dial tcp: refused\"", LOG_LINE_ERROR,
			"msg=\"dial tcp: refused\"" },
		{ "level=info msg=\"0 errors\"", LOG_LINE_ROUTINE, NULL },
		{ "E1126 21:02:09.1 77 main.go:12] cannot bind", LOG_LINE_ERROR, NULL },
		{ "I1126 21:02:09.1 77 main.go:12] cannot happen any more", LOG_LINE_ROUTINE,
			NULL },
		{ "E, [2026-11-26T21:15:52.659651 #18655] ERROR -- : import failed", LOG_LINE_ERROR,
			"import failed" },
		{ "{\"level\":50,\"time\":1,\"msg\":\"upstream is gone\"}", LOG_LINE_ERROR,
			"upstream is gone" },
		{ "{\"level\":30,\"msg\":\"retry failed before, fine now\"}", LOG_LINE_ROUTINE,
			NULL },
		{ "{\"severity\":\"WARNING\",\"message\":\"late: timed out\"}", LOG_LINE_WARNING,
			"late: timed out" },
		{ "2026/11/26 21:02:09 [error] 12#12: *3 open() \"/srv/x\" failed", LOG_LINE_ERROR,
			NULL },
		{ "2026-11-26 21:02:09.000 UTC [123] ERROR:  relation \"x\" does not exist",
			LOG_LINE_ERROR, "relation \"x\" does not exist" },
		{ "2026-11-26 21:02:09.000 UTC [123] LOG:  checkpoint failed before, complete",
			LOG_LINE_ROUTINE, NULL },
		{ "12:M 26 Nov 2026 21:02:09.000 # Failed opening the temp RDB file",
			LOG_LINE_ERROR, "Failed opening the temp RDB file" },
		{ "(node:77) TimeoutOverflowWarning: 2592000000 does not fit into a 32-bit "
		  "integer.",
			LOG_LINE_WARNING,
			"TimeoutOverflowWarning: 2592000000 does not fit into a 32-bit integer." },
		{ "(node:77) [DEP0005] DeprecationWarning: Buffer() is deprecated",
			LOG_LINE_ROUTINE, NULL },
		{ "npm ERR! code E404", LOG_LINE_ERROR, NULL },
		{ "main.c:3:5: error: expected ';'", LOG_LINE_ERROR,
			"main.c:3:5: error: expected ';'" },
		{ "KeyError: 'price'", LOG_LINE_ERROR, "KeyError: 'price'" },
		{ "java.net.ConnectException: Connection refused", LOG_LINE_ERROR, NULL },
		{ "Caused by: java.io.IOException: x", LOG_LINE_ERROR, NULL },
		{ "open /etc/key: permission denied", LOG_LINE_ERROR, NULL },
		{ "done: 7 files, 0 errors, no failure", LOG_LINE_ROUTINE, NULL },
		{ "failed: 0 of 7, errors=0", LOG_LINE_ROUTINE, NULL },
		{ "set timeout=30 on_error=retry", LOG_LINE_ROUTINE, NULL },
		{ "127.0.0.1 - - [x] \"GET /error HTTP/1.1\" 200 12", LOG_LINE_ROUTINE, NULL },
		{ "127.0.0.1 - - [x] \"GET / HTTP/1.1\" 502 12", LOG_LINE_WARNING, NULL },
		{ "  File \"a.py\", line 3, in run", LOG_LINE_DETAIL, NULL },
		{ "Traceback (most recent call last):", LOG_LINE_DETAIL, NULL },
		{ "", LOG_LINE_BLANK, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct log_line line = read_line(cases[i].line, true);

		if (line.kind != cases[i].kind ||
			(cases[i].message && !span_equal(line.message, cases[i].message)))
			fail_msg("%s: %d, %.*s", cases[i].line, line.kind, (int)line.message.size,
				line.message.data);
	}
}

/* A file that only grows may hold texts about errors: they are none of its own. */
static void test_other_texts(void **state)
{
	(void)state;
	assert_int_equal(read_line("the parcel was refused", false).kind, LOG_LINE_ROUTINE);
	assert_int_equal(read_line("KeyError: 'x'", false).kind, LOG_LINE_ERROR);
	assert_int_equal(read_line("he met a KeyError: x", false).kind, LOG_LINE_ROUTINE);
	assert_int_equal(read_line("12:00:01 ERROR x", false).kind, LOG_LINE_ERROR);
}

static void test_forms(void **state)
{
	static const char *const alike[][2] = {
		{ "12:00:01 ERROR job 17 failed", "12:00:02 ERROR job 9 failed" },
		{ "ERROR cannot read 'a b.csv'", "ERROR cannot read 'c.csv'" },
		{ "ERROR open /srv/a/1: denied", "ERROR open /srv/b: denied" },
		{ "ERROR request 7f3a9c21bb is late", "ERROR request 90ffab12cd is late" },
	};
	static const char *const different[][2] = {
		{ "ERROR job 17 failed", "ERROR job 17 was refused" },
		{ "ERROR it doesn't load a", "ERROR it doesn't load b" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(alike); i++)
		assert_true(read_line(alike[i][0], true).form == read_line(alike[i][1], true).form);
	for (size_t i = 0; i < COUNT(different); i++)
		assert_true(read_line(different[i][0], true).form !=
			    read_line(different[i][1], true).form);
}

/* --- the end of a log --- */

static struct log_tail tail;
static char bytes[16384];

static void read_log(const char *text, size_t new_from, bool is_cut)
{
	strcpy(bytes, text);
	log_tail_read(&tail, bytes, strlen(text), new_from, is_cut, true);
}

static void assert_span(struct span s, const char *text)
{
	assert_int_equal(s.size, strlen(text));
	assert_memory_equal(s.data, text, s.size);
}

static void test_trace_is_one_message(void **state)
{
	static const char text[] = "10:00:00 INFO begin\n"
				   "10:00:01 ERROR job failed\n"
				   "Traceback (most recent call last):\n"
				   "  File \"a.py\", line 1, in run\n"
				   "    price = row['price']\n"
				   "KeyError: 'price'\n"
				   "\033[31m10:00:02 ERROR job failed\033[0m\n";
	const struct log_form *worst[4];

	(void)state;
	read_log(text, (size_t)(strstr(text, "\033[31m") - text), false);
	assert_int_equal(tail.lines, 3);
	assert_int_equal(tail.lines_new, 1);
	assert_int_equal(tail.errors, 2);
	assert_int_equal(tail.errors_new, 1);
	assert_int_equal(log_tail_worst(&tail, worst, 4), 1);
	assert_int_equal(worst[0]->times, 2);
	assert_span(worst[0]->text, "job failed");
	assert_int_equal(worst[0]->end.size, 0); /* the last one had no trace */
	read_log(text, 0, false);
	bytes[0] = 0;
	*strstr(strcpy(bytes, text), "\033[31m") = '\0';
	log_tail_read(&tail, bytes, strlen(bytes), 0, false, true);
	assert_int_equal(log_tail_worst(&tail, worst, 4), 1);
	assert_span(worst[0]->end, "KeyError: 'price'");
}

/* Half a line is no message: it would be one of another form. */
static void test_halves(void **state)
{
	(void)state;
	read_log("led: x\n1 ERROR a\n2 ERROR", 0, true);
	assert_int_equal(tail.lines, 1);
	read_log("1 ERROR a\n2 ERROR b\n", 0, false);
	assert_int_equal(tail.lines, 2);
	memcpy(bytes, "ERROR a\n\0\n", 10);
	log_tail_read(&tail, bytes, 10, 0, false, true);
	assert_false(tail.is_text);
	assert_int_equal(tail.lines, 0);
}

/* A cycle of three messages, and one that succeeds in between. */
static const struct logs_file file = { .fd = 2 };

static void test_repeat(void **state)
{
	char text[4096] = "0 INFO started\n";
	const struct log_form *worst[4];
	struct logs_error r;

	(void)state;
	for (int i = 0; i < 10; i++)
		strcat(text, "1 INFO opening\n2 ERROR cannot open\n3 INFO sleeping\n");
	read_log(text, 0, false);
	assert_int_equal(log_tail_worst(&tail, worst, 4), 1);
	r = log_tail_error(&tail, worst[0], &file);
	assert_int_equal(worst[0]->times, 10);
	assert_int_equal(r.messages, 29);
	assert_int_equal(r.other_most, 10);
	assert_int_equal(r.behind, 1);
	assert_int_equal(r.done, 0);
	for (int i = 0; i < 30; i++)
		strcat(text, "4 INFO stored\n");
	read_log(text, 0, false);
	assert_int_equal(log_tail_worst(&tail, worst, 4), 1);
	assert_int_equal(log_tail_error(&tail, worst[0], &file).other_most, 30);
	assert_int_equal(log_tail_error(&tail, worst[0], &file).done, 30);
}

/* The most frequent ones, and in any case the last. */
static void test_worst(void **state)
{
	const struct log_form *worst[2];

	(void)state;
	read_log("ERROR a x\nERROR a x\nERROR a x\nERROR b y\nERROR b y\nWARN c failed\nERROR d\n",
		0, false);
	assert_int_equal(log_tail_worst(&tail, worst, 2), 2);
	assert_span(worst[0]->text, "a x");
	assert_span(worst[1]->text, "d");
}

/* More messages, and more forms, than are told apart. */
static void test_many(void **state)
{
	size_t size = 200000, at = 0;
	char *text = malloc(size);
	const struct log_form *worst[4];

	(void)state;
	for (int i = 0; i < 6000; i++) {
		char word[8] = "ERROR a";

		word[6] = (char)('a' + i % 26);
		at += (size_t)snprintf(text + at, size - at, "%s%c%c w\n", word, 'a' + i / 26 % 26,
			'a' + i / 676 % 26);
	}
	log_tail_read(&tail, text, at, 0, false, true);
	assert_int_equal(tail.lines, 6000);
	assert_int_equal(tail.form_count, LOG_TAIL_FORMS);
	assert_int_equal(log_tail_worst(&tail, worst, 4), 4);
	assert_true(log_tail_error(&tail, worst[0], &file).messages <= LOG_TAIL_LINES);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_other_texts),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_trace_is_one_message),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_repeat),
		cmocka_unit_test(test_worst),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

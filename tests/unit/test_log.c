/* SPDX-License-Identifier: BSD-2-Clause */
/* The log: levels, long lines, nobody listening. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/log.h"

struct heard {
	unsigned lines;
	enum log_level level;
	char line[2048];
};

static void hear(void *user, enum log_level level, const char *line)
{
	struct heard *heard = user;

	heard->lines++;
	heard->level = level;
	assert_true(strlen(line) < sizeof(heard->line));
	strcpy(heard->line, line);
}

static void test_levels(void **state)
{
	(void)state;
	for (int wanted = LOG_NONE; wanted <= LOG_DEBUG; wanted++) {
		for (int level = LOG_NONE; level <= LOG_DEBUG; level++) {
			struct heard heard = { 0 };
			struct log log = { (enum log_level)wanted, hear, &heard };

			log_line(&log, (enum log_level)level, "x %d", level);
			assert_int_equal(heard.lines, level != LOG_NONE && level <= wanted);
			if (heard.lines)
				assert_int_equal(heard.level, level);
		}
	}
}

static void test_text(void **state)
{
	struct heard heard = { 0 };
	struct log log = { LOG_INFO, hear, &heard };
	char text[3000];

	(void)state;
	log_line(&log, LOG_ERROR, "a %s\n\n", "b");
	assert_string_equal(heard.line, "a b");
	log_line(&log, LOG_ERROR, "%s", "");
	assert_string_equal(heard.line, "");
	log_line(&log, LOG_ERROR, "%s", "\n");
	assert_string_equal(heard.line, "");
	memset(text, 'x', sizeof(text));
	text[1023] = '\0';
	log_line(&log, LOG_ERROR, "%s", text);
	assert_string_equal(heard.line, text);
	text[1023] = 'x';
	text[2999] = '\0';
	log_line(&log, LOG_ERROR, "%s", text);
	assert_int_equal(strlen(heard.line), 1023);
	assert_string_equal(heard.line + 1019, "x...");
	assert_int_equal(heard.lines, 5);
}

static void test_nobody(void **state)
{
	struct log log = { .level = LOG_DEBUG };

	(void)state;
	log_line(NULL, LOG_ERROR, "x");
	log_line(&log, LOG_ERROR, "x");
}

static void test_parse(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("none"), LOG_NONE);
	assert_int_equal(log_level_parse("error"), LOG_ERROR);
	assert_int_equal(log_level_parse("warning"), LOG_WARNING);
	assert_int_equal(log_level_parse("info"), LOG_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
	assert_int_equal(log_level_parse(""), -1);
	assert_int_equal(log_level_parse("Debug"), -1);
	assert_int_equal(log_level_parse("debug "), -1);
	assert_int_equal(log_level_parse("4"), -1);
	assert_int_equal(log_level_parse(NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

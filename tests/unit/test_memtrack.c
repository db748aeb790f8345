/* SPDX-License-Identifier: BSD-2-Clause */
/* memtrack's command line: which words are its own and which the command's; and its names. */
#include "support.h"

#include <errno.h>

#include "cli/command/compat.h"
#include "compat/memtrack_arguments.h"

/* Every tool there is: what each does is no matter here. */
#define COMPAT(link, tool) const struct compat compat_##tool;
#include "compat/compat.def"
#undef COMPAT

#define WORDS_MAX 16

static char line[256];
static char *argv[WORDS_MAX + 1];
static struct memtrack_arguments words;
static struct sooth_error err;

/* Words separated by blanks; ~ stands for a blank in one. */
static int parse(const char *text)
{
	int argc = 0;

	snprintf(line, sizeof(line), "memtrack %s", text);
	for (char *word = strtok(line, " "); word && argc < WORDS_MAX; word = strtok(NULL, " ")) {
		for (char *c = word; *c; c++)
			*c = *c == '~' ? ' ' : *c;
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	err = (struct sooth_error){ 0 };
	return memtrack_arguments_parse(&words, argc, argv, &err);
}

static const char *command(void)
{
	static char joined[256];

	joined[0] = '\0';
	for (char **word = words.command; *word; word++) {
		strcat(joined, joined[0] ? " " : "");
		strcat(joined, *word);
	}
	return joined;
}

static void test_owner_words(void **state)
{
	static const struct {
		const char *text, *command, *output;
	} cases[] = {
		{ "track ls --output f", "ls", "f" },
		{ "track ls -l / --output f", "ls -l /", "f" },
		{ "track ls -l --output=f", "ls -l", "f" },
		{ "track ls -o f", "ls", "f" },
		{ "track --output f ls -l", "ls -l", "f" },
		{ "track -o f -- ls -l", "ls -l", "f" },
		{ "track --output=f -- ls --output g", "ls --output g", "f" },
		{ "track -o f ls -- --output g", "ls -- --output g", "f" },
		{ "track cc --output x main.c --output f", "cc --output x main.c", "f" },
		{ "track -o f -- -odd", "-odd", "f" },
		{ "track -o f -- --", "--", "f" },
		{ "track ls~-l --output f", "ls -l", "f" },
		{ "track - --output f", "-", "f" },
		{ "track --output -- ls", "ls", "--" },
		{ "track -o f --ipc-server /tmp/s ls", "ls", "f" },
		{ "track -o f --ipc-server=/tmp/s ls --ipc-server b", "ls --ipc-server b", "f" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (parse(cases[i].text))
			fail_msg("%s: %s: %s", cases[i].text, err.tried, err.why);
		assert_string_equal(words.ipc_server ? words.ipc_server : "none",
			strstr(cases[i].text, "/tmp/s") ? "/tmp/s" : "none");
		assert_string_equal(command(), cases[i].command);
		assert_string_equal(words.output, cases[i].output);
	}
}

static void test_no_output(void **state)
{
	static const char *const cases[] = { "track ls", "track -- ls", "track -- ls --output f",
		"track ls -- x --output f" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i]), 0);
		assert_null(words.output);
		assert_true(!strncmp(command(), "ls", 2));
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "subcommand" },
		{ "ls", "\"ls\"" },
		{ "track", "command" },
		{ "track --output f", "command" },
		{ "track --output f --", "command" },
		{ "track --output", "--output" },
		{ "track -z ls --output f", "-z" },
		{ "track --output f", "command" },
		{ "track -o f ls --output g", "two files" },
		{ "track -o f -o g ls", "two files" },
		{ "track ls --output=", "without a name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(cases[i].text), -EINVAL);
		assert_int_equal(err.fault, SOOTH_FAULT_USAGE);
		if (!has(err.tried, cases[i].part))
			fail_msg("%s: %s", cases[i].text, err.tried);
		assert_true(err.why[0] && err.remedy[0]);
	}
}

static void test_help(void **state)
{
	static const char *const help[] = { "--help", "-h", "track --help", "track -h ls" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(help); i++) {
		assert_int_equal(parse(help[i]), 0);
		assert_true(words.wants_help);
	}
	assert_int_equal(parse("track -o f ls --help"), 0); /* the command's */
	assert_false(words.wants_help);
	assert_int_equal(parse("--version"), 0);
	assert_true(words.wants_version);
}

static void test_names(void **state)
{
	const char *name;

	(void)state;
	assert_ptr_equal(compat_find("memtrack", &name), &compat_memtrack);
	assert_ptr_equal(compat_find("/usr/bin/codspeed-memtrack", &name), &compat_memtrack);
	assert_string_equal(name, "codspeed-memtrack");
	assert_null(compat_find("codspeed_memtrack", &name));
	assert_null(compat_find("memtrack2", &name));
	assert_null(compat_find("memtrac", &name));
	assert_null(compat_find("/opt/memtrack/sooth", &name));
	assert_null(compat_find("", &name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_words),
		cmocka_unit_test(test_no_output),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

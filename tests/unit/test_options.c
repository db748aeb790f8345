/* SPDX-License-Identifier: BSD-2-Clause */
/* Options as data: what is understood, what is refused, and what is suggested then. */
#include "support.h"

#include <errno.h>

#include "base/nearest.h"
#include "base/units.h"
#include "cli/command/options.h"

struct shared {
	const char *name;
	struct option_list list;
};

struct config {
	bool flag, other;
	uint64_t number, duration_ns, bytes, megabytes, watch_ns;
	double share;
	const char *choice;
	struct shared shared;
};

static const char *color_choice(size_t index)
{
	static const char *const names[] = { "red", "green", NULL };

	return names[index];
}

static const struct option own_rows[] = {
	{ .letter = '9', .type = OPTION_FLAG, .offset = offsetof(struct config, other) },
	{ .letter = 'f',
		.name = "flag",
		.type = OPTION_FLAG,
		.offset = offsetof(struct config, flag) },
	{ .letter = 'x', .type = OPTION_FLAG, .offset = offsetof(struct config, other) },
	{ .letter = 'n',
		.name = "number",
		.type = OPTION_U64,
		.min = 5,
		.max = 10,
		.argument = "N",
		.offset = offsetof(struct config, number) },
	{ .letter = 'd',
		.name = "duration",
		.type = OPTION_DURATION,
		.offset = offsetof(struct config, duration_ns) },
	{ .name = "buffer-size",
		.type = OPTION_BYTES,
		.min = 4096,
		.max = 1 << 20,
		.offset = offsetof(struct config, bytes) },
	{ .letter = 'k',
		.type = OPTION_REAL,
		.max = 1000,
		.offset = offsetof(struct config, share) },
	{ .letter = 'm', .type = OPTION_MEGABYTES, .offset = offsetof(struct config, megabytes) },
	{ .letter = 'w',
		.name = "watch",
		.type = OPTION_DURATION,
		.max = 3600 * NS_PER_S,
		.default_value = "2",
		.offset = offsetof(struct config, watch_ns) },
	{ .name = "choice",
		.type = OPTION_CHOICE,
		.choice = color_choice,
		.offset = offsetof(struct config, choice) },
};

static const struct option shared_rows[] = {
	{ .letter = 'N',
		.name = "name",
		.type = OPTION_TEXT,
		.offset = offsetof(struct shared, name) },
	{ .letter = 'p',
		.name = "pid",
		.type = OPTION_LIST,
		.offset = offsetof(struct shared, list) },
};

static const struct option_group groups[] = {
	OPTION_GROUP("Own", own_rows, 0),
	OPTION_GROUP("Shared", shared_rows, offsetof(struct config, shared)),
};

static struct config config;
static struct arguments arguments;
static struct sooth_error err;
static char words[64][64];
static char *argv[65];

/* The words are separated by blanks; "_" stands for an empty one. */
static int parse(const char *line)
{
	int argc = 0;

	free(arguments.items);
	memset(&config, 0, sizeof(config));
	memset(&err, 0, sizeof(err));
	strcpy(words[argc++], "sooth");
	while (*line) {
		size_t size = strcspn(line, " ");

		snprintf(words[argc], sizeof(words[0]), "%.*s", (int)size, line);
		if (!strcmp(words[argc], "_"))
			words[argc][0] = '\0';
		argc++;
		line += size + (line[size] == ' ');
	}
	for (int i = 0; i < argc; i++)
		argv[i] = words[i];
	argv[argc] = NULL;
	return options_parse(groups, ARRAY_SIZE(groups), &config, argc, argv, &arguments, &err);
}

static void refused(const char *line, const char *why)
{
	assert_int_equal(parse(line), -EINVAL);
	assert_int_equal(err.fault, SOOTH_FAULT_USAGE);
	if (!has(err.tried, why) && !has(err.why, why) && !has(err.remedy, why))
		fail_msg("%s: no \"%s\" in: %s; %s; %s", line, why, err.tried, err.why, err.remedy);
}

static void test_letters(void **state)
{
	(void)state;
	assert_int_equal(parse("-f"), 0);
	assert_true(config.flag && !config.other);
	assert_int_equal(parse("-fx"), 0);
	assert_true(config.flag && config.other);
	assert_int_equal(parse("-fxn7"), 0);
	assert_true(config.flag && config.other);
	assert_int_equal(config.number, 7);
	assert_int_equal(parse("-xfn 8 rest"), 0);
	assert_int_equal(config.number, 8);
	assert_int_equal(arguments.count, 1);
	assert_int_equal(parse("-Nf"), 0); /* the rest is the value */
	assert_string_equal(config.shared.name, "f");
	assert_false(config.flag);
	refused("-fz", "-fz");
	refused("-n", "needs a value");
	refused("-n --", "needs a value");
	refused("-fn", "N");
	assert_int_equal(parse("-9f -9"), 0);
	refused("-99", "-99"); /* a number, and no letters */
}

static void test_long(void **state)
{
	(void)state;
	assert_int_equal(parse("--flag --number=5 --number 10 --name=a=b"), 0);
	assert_true(config.flag);
	assert_int_equal(config.number, 10); /* the last one counts */
	assert_string_equal(config.shared.name, "a=b");
	assert_int_equal(parse("--name="), 0);
	assert_string_equal(config.shared.name, "");
	assert_int_equal(parse("--name --flag"), 0); /* what looks like an option may be a value */
	assert_string_equal(config.shared.name, "--flag");
	refused("--flag=yes", "no value");
	refused("--number", "needs a value");
	refused("--=x", "--=x");
	refused("--x", "--x");	    /* a letter has no long form */
	refused("--fla", "--flag"); /* prefixes are no abbreviations */
}

static void test_numbers(void **state)
{
	(void)state;
	assert_int_equal(parse("-d 200ms --buffer-size 64k"), 0);
	assert_int_equal(config.duration_ns, 200 * NS_PER_MS);
	assert_int_equal(config.bytes, 64 << 10);
	assert_int_equal(parse("-n 5"), 0);
	assert_int_equal(parse("-n 10"), 0);
	refused("-n 4", "from 5 to 10");
	refused("-n 11", "from 5 to 10");
	refused("-n -5", "whole number");
	refused("-n 5x", "whole number");
	refused("-n _", "whole number");
	refused("-n 99999999999999999999999", "from 5 to 10");
	refused("-w 99999999999999999999999", "to 1h00m");
	refused("-d 99999999999999999999999", "time such as"); /* it has no range */
	refused("-d fast", "time such as");
	refused("--buffer-size 4095", "from 4096");
	refused("--buffer-size big", "size such as");
	assert_int_equal(config.bytes, 0); /* what is refused is not stored */
}

static void test_real_numbers(void **state)
{
	(void)state;
	assert_int_equal(parse("-k 12.5"), 0);
	assert_true(config.share == 12.5);
	assert_int_equal(parse("-k0"), 0);
	assert_true(config.share == 0);
	refused("-k 1000.1", "from 0 to 1000");
	refused("-k -1", "from 0 to 1000");
	refused("-k -5x", "a number");
	refused("-k --5", "a number");
	refused("-k 5%", "a number");
	refused("-k inf", "a number");
	refused("-k 0x10", "a number");
	refused("-k _", "a number");
	assert_true(config.share == 0);
}

static void test_megabytes(void **state)
{
	(void)state;
	assert_int_equal(parse("-m 512"), 0);
	assert_int_equal(config.megabytes, 512ull << 20);
	assert_int_equal(parse("-m 64k"), 0);
	assert_int_equal(config.megabytes, 64 << 10);
	assert_int_equal(parse("-m 2G"), 0);
	assert_int_equal(config.megabytes, 2ull << 30);
	refused("-m 0", "512M");
	refused("-m 99999999999999999999", "512M");
	refused("-m 17592186044416", "512M"); /* 2^64 bytes */
	refused("-m much", "512M");
	assert_int_equal(config.megabytes, 0);
}

/* A value that may be left out is the next word only when that is a number. */
static void test_value_that_may_be_left_out(void **state)
{
	(void)state;
	assert_int_equal(parse("-w"), 0);
	assert_int_equal(config.watch_ns, 2 * NS_PER_S);
	assert_int_equal(parse("-w 5"), 0);
	assert_int_equal(config.watch_ns, 5 * NS_PER_S);
	assert_int_equal(arguments.count, 0);
	assert_int_equal(parse("-w7"), 0);
	assert_int_equal(config.watch_ns, 7 * NS_PER_S);
	assert_int_equal(parse("-w -f"), 0);
	assert_int_equal(config.watch_ns, 2 * NS_PER_S);
	assert_true(config.flag);
	assert_int_equal(parse("-wf"), 0);
	assert_int_equal(config.watch_ns, 2 * NS_PER_S);
	assert_true(config.flag);
	assert_int_equal(parse("-fw x"), 0);
	assert_int_equal(arguments.count, 1);
	refused("-w 5x", "time such as");
	/* Perhaps it is the number of a process. */
	refused("-w 4711", "to 1h00m");
	assert_string_equal(err.remedy,
		"4711 is taken as the value of --watch; for a PID give both: --watch 2 4711");
	refused("-w 90m", "to 1h00m");
	assert_string_equal(err.remedy, "");
}

static void test_choice(void **state)
{
	(void)state;
	assert_int_equal(parse("--choice green"), 0);
	assert_string_equal(config.choice, "green");
	refused("--choice blue", "one of red green");
	refused("--choice RED", "one of");
}

static void test_lists(void **state)
{
	char line[512] = "";

	(void)state;
	assert_int_equal(parse("-p1,22,333 --pid 4 --pid=5"), 0);
	assert_int_equal(config.shared.list.count, 5);
	assert_string_equal(config.shared.list.items[1], "22");
	assert_string_equal(config.shared.list.items[4], "5");
	refused("-p 1,,2", "empty");
	refused("-p ,", "empty");
	refused("-p _", "empty");
	for (int i = 0; i < OPTION_LIST_MAX / 16; i++)
		strcat(line, "-p 1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7 ");
	assert_int_equal(parse(line), 0);
	assert_int_equal(config.shared.list.count, OPTION_LIST_MAX);
	strcat(line, "-p 1");
	refused(line, "at most 128");
}

static void test_arguments(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(arguments.count, 0);
	assert_null(arguments.command);
	assert_int_equal(parse("one -f two - _ three"), 0);
	assert_true(config.flag);
	assert_int_equal(arguments.count, 5);
	assert_string_equal(arguments.items[0], "one");
	assert_string_equal(arguments.items[2], "-");
	assert_string_equal(arguments.items[3], "");
	assert_null(arguments.items[5]);
}

/* Behind "--" nothing is ours. */
static void test_command(void **state)
{
	(void)state;
	assert_int_equal(parse("one -- make -f --nonsense -- x"), 0);
	assert_false(config.flag);
	assert_int_equal(arguments.count, 1);
	assert_string_equal(arguments.command[0], "make");
	assert_string_equal(arguments.command[3], "--");
	assert_string_equal(arguments.command[4], "x");
	assert_null(arguments.command[5]);
	assert_int_equal(parse("--"), 0);
	assert_non_null(arguments.command);
	assert_null(arguments.command[0]);
}

static void test_suggestions(void **state)
{
	static const char *const names[] = { "trace", "record", "ps", "doctor" };

	(void)state;
	refused("--flog", "did you mean --flag?");
	refused("--buffersize", "did you mean --buffer-size?");
	refused("--numbr", "did you mean --number?");
	refused("--completely-else", "--help");
	refused("-q", "--help");
	assert_string_equal(nearest_name("trcae", names, 4), "trace");
	assert_string_equal(nearest_name("recor", names, 4), "record");
	assert_string_equal(nearest_name("Doctor", names, 4), "doctor");
	assert_string_equal(nearest_name("sp", (const char *const[]){ "spx" }, 1), "spx");
	/* The beginning of one name says more than a short other one. */
	assert_string_equal(
		nearest_name("doc", (const char *const[]){ "dot", "doctor" }, 2), "doctor");
	assert_string_equal(nearest_name("do", (const char *const[]){ "dot", "doctor" }, 2), "dot");
	assert_null(nearest_name("-x", names, 4));
	assert_null(nearest_name("elephant", names, 4));
	assert_null(nearest_name("", names, 4));
	assert_null(nearest_name("trace", names, 0));
	assert_null(
		nearest_name("a-word-much-longer-than-any-of-those-that-are-compared", names, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_real_numbers),
		cmocka_unit_test(test_megabytes),
		cmocka_unit_test(test_value_that_may_be_left_out),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_suggestions),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(arguments.items);
	return failed;
}

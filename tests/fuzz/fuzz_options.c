/* SPDX-License-Identifier: BSD-2-Clause */
/* The input is a command line, its words separated by NUL, and then a file of settings. */
#include <errno.h>
#include <string.h>

#include "cli/command/settings.h"
#include "fuzz.h"

#define WORDS_MAX 256

struct config {
	uint64_t guard_before;
	bool flag;
	const char *text;
	uint64_t number, duration_ns, bytes;
	const char *choice;
	struct option_list list;
	uint64_t guard_behind;
};

static const char *choose(size_t index)
{
	static const char *const names[] = { "table", "json" };

	return index < 2 ? names[index] : NULL;
}

#define ROW(letter_, name_, type_, member_, ...)                                                   \
	{                                                                                          \
		.letter = letter_, .name = name_, .type = type_,                                   \
		.offset = offsetof(struct config, member_), __VA_ARGS__                            \
	}

static const struct option rows[] = {
	ROW('f', "flag", OPTION_FLAG, flag, .help = ""),
	ROW('t', "text", OPTION_TEXT, text, .help = ""),
	ROW('n', "number", OPTION_U64, number, .min = 3, .max = 1000),
	ROW('d', "duration", OPTION_DURATION, duration_ns, .help = ""),
	ROW(0, "bytes", OPTION_BYTES, bytes, .min = 1, .max = 1 << 20),
	ROW('c', NULL, OPTION_CHOICE, choice, .choice = choose),
	ROW('l', "list", OPTION_LIST, list, .help = ""),
};

static const struct option_group groups[] = { OPTION_GROUP("All", rows, 0) };

static void check(const struct config *c, int argc, char **argv, const struct arguments *a)
{
	CHECK(!c->number || (c->number >= 3 && c->number <= 1000));
	CHECK(!c->bytes || (c->bytes >= 1 && c->bytes <= 1 << 20));
	CHECK(!c->choice || !strcmp(c->choice, "table") || !strcmp(c->choice, "json"));
	CHECK(c->list.count <= OPTION_LIST_MAX);
	for (size_t i = 0; i < c->list.count; i++)
		CHECK(*c->list.items[i]);
	CHECK(a->count < (size_t)argc);
	CHECK(!a->command || (a->command > argv && a->command <= argv + argc));
}

static void take_error(void *user, const struct sooth_error *err)
{
	++*(unsigned *)user;
	CHECK(err->code == -EINVAL && err->tried[0] && err->why[0]);
}

/* All wrong lines, or the first one. */
static void check_settings(const uint8_t *data, size_t size, bool is_all)
{
	struct config config = { .guard_before = 1, .guard_behind = 2 };
	struct settings settings = { .help = "help" };
	struct sooth_error err = { 0 };
	unsigned taken = 0;
	const struct settings_errors errors = { take_error, &taken };
	int status = settings_parse(&settings, "settings", span_of((const char *)data, size),
		groups, 1, &config, is_all ? &errors : NULL, &err);

	CHECK(status == 0 || (err.code == status && err.tried[0] && err.why[0]));
	CHECK(!taken || status);
	CHECK(!config.number || (config.number >= 3 && config.number <= 1000));
	CHECK(config.guard_before == 1 && config.guard_behind == 2);
	CHECK(settings.count <= SETTINGS_MAX);
	settings_fini(&settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = { .guard_before = 1, .guard_behind = 2 };
	struct arguments arguments = { 0 };
	struct sooth_error err = { 0 };
	char *bytes = calloc(1, size + 1), *argv[WORDS_MAX + 1] = { (char *)"sooth" };
	int argc = 1, status;

	CHECK(bytes);
	if (size)
		memcpy(bytes, data, size);
	for (size_t at = 0; at < size && argc < WORDS_MAX; at += strlen(bytes + at) + 1)
		argv[argc++] = bytes + at;
	status = options_parse(groups, 1, &config, argc, argv, &arguments, &err);
	CHECK(status == 0 ||
		(err.code == status && err.fault == SOOTH_FAULT_USAGE && err.tried[0]));
	check(&config, argc, argv, &arguments);
	CHECK(config.guard_before == 1 && config.guard_behind == 2);
	free(arguments.items);
	free(bytes);
	check_settings(data, size, false);
	check_settings(data, size, true);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking output files before a command starts. */
#include "cli/command/written.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/same_file.h"
#include "base/units.h"

static int refuse_read(const char *path, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write %s", path);
	error_why(err, "the output file is the input capture and would be overwritten");
	return error_remedy(err, "give another file name");
}

int written_refuse_pair(const char *path, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "write two things to %s", path);
	error_why(err, "both options name the same file");
	return error_remedy(err, "give different file names");
}

static bool is_standard_stream(const char *path)
{
	return !strcmp(path, "-");
}

static bool is_read(const char *path, const char *argument, bool reads_numbers)
{
	uint64_t number;

	if (is_standard_stream(argument))
		return file_is_open_as(path, STDIN_FILENO);
	if (!reads_numbers && parse_u64(argument, &number))
		return false;
	return file_is_same(path, argument);
}

int written_check_one(const char *path, const struct arguments *arguments, bool reads_numbers,
	struct sooth_error *err)
{
	if (is_standard_stream(path))
		return 0;
	for (size_t i = 0; i < arguments->count; i++) {
		if (is_read(path, arguments->items[i], reads_numbers))
			return refuse_read(path, err);
	}
	return 0;
}

static bool is_given(const struct arguments *arguments, const struct option *o)
{
	for (size_t i = 0; i < arguments->given_count; i++) {
		if (arguments->given[i] == o)
			return true;
	}
	return false;
}

/* The names of all given output files. */
static size_t list_written(const struct option_group *groups, size_t group_count,
	const char *config, const struct arguments *arguments, const char *names[OPTIONS_GIVEN_MAX])
{
	size_t count = 0;

	for (size_t g = 0; g < group_count; g++) {
		for (size_t i = 0; i < groups[g].count && count < OPTIONS_GIVEN_MAX; i++) {
			const struct option *o = &groups[g].options[i];

			if (o->type == OPTION_FILE && is_given(arguments, o))
				names[count++] =
					*(const char *const *)(const void *)(config +
									     groups[g].offset +
									     o->offset);
		}
	}
	return count;
}

int written_check(const struct option_group *groups, size_t group_count, const void *config,
	const struct arguments *arguments, bool reads_numbers, struct sooth_error *err)
{
	const char *names[OPTIONS_GIVEN_MAX];
	size_t count = list_written(groups, group_count, config, arguments, names);
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		status = written_check_one(names[i], arguments, reads_numbers, err);
		for (size_t k = 0; k < i && !status; k++) {
			if (!is_standard_stream(names[i]) && file_is_same(names[i], names[k]))
				status = written_refuse_pair(names[i], err);
		}
	}
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of older tools. */
#include "cli/command/compat.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/command/command.h"

#define COMPAT(link, tool) extern const struct compat compat_##tool;
#include "compat/compat.def"
#undef COMPAT

#define COMPAT(link, tool) { #link, &compat_##tool },
static const struct {
	const char *link;
	const struct compat *tool;
} rows[] = {
#include "compat/compat.def"
};

/* Returns whether a link has that name: ids are C identifiers, links have dashes. */
static bool is_called(const char *link, const char *name)
{
	while (*link && *name == (*link == '_' ? '-' : *link)) {
		link++;
		name++;
	}
	return !*link && !*name;
}

const struct compat *compat_find(const char *called, const char **name)
{
	const char *slash = strrchr(called, '/');

	*name = slash ? slash + 1 : called;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (is_called(rows[i].link, *name))
			return rows[i].tool;
	}
	return NULL;
}

/* Running an older tool: the options and errors that all of them share. */

const struct option compat_requested_options[COMPAT_REQUESTED_OPTIONS] = {
	FLAG_ROW('h', "help", compat_requested, help, "this help"),
	FLAG_ROW('V', "version", compat_requested, version, "print the version of sooth"),
};

struct compat_requested compat_requested_by(const char *word)
{
	return (struct compat_requested){
		.help = !strcmp(word, "-h") || !strcmp(word, "--help"),
		.version = !strcmp(word, "-V") || !strcmp(word, "--version"),
	};
}

bool compat_answer(
	struct compat_requested asked, const char *name, void (*print_help)(const char *name))
{
	if (asked.help)
		print_help(name);
	else if (asked.version)
		printf("%s (sooth) %s\n", name, SOOTH_VERSION);
	return asked.help || asked.version;
}

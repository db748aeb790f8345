/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug messages of the library. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/terminal/log.h"

static int wanted = -1;

bool log_want(const char *level)
{
	wanted = log_level_parse(level);
	return wanted >= 0;
}

int log_selected(void)
{
	const char *environment = getenv("SOOTH_LOG");
	int level = wanted;

	if (level < 0 && environment)
		level = log_level_parse(environment);
	return level < 0 ? LOG_ERROR : level;
}

void log_print(void *user, int level, const char *line)
{
	static const char *const names[] = { "", "error", "warning", "info", "debug",
		"trace" };

	(void)user;
	fprintf(stderr, "sooth: %s: %s\n",
		level > 0 && level < (int)(sizeof(names) / sizeof(names[0])) ? names[level]
									     : "note",
		line);
}

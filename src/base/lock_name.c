/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/lock_name.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define POSTGRES ".s.PGSQL."

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name), least = strlen(end);

	return size > least && !strcmp(name + size - least, end);
}

bool is_lock_name(const char *name)
{
	static const char *const names[] = { "lock", ".lock", "LOCK", "lock-frontend" };

	/* Beside the socket of a server of PostgreSQL that runs: no client waits for it. */
	if (!strncmp(name, POSTGRES, strlen(POSTGRES)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return ends_with(name, ".lock") || ends_with(name, ".lck");
}

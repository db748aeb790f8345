/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/lock_name.h"

#include <stddef.h>
#include <string.h>

#define POSTGRES ".s.PGSQL."

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name), least = strlen(end);

	return size > least && !strcmp(name + size - least, end);
}

bool is_lock_name(const char *name)
{
	static const char *const names[] = { "lock", ".lock", "LOCK", "lock-frontend" };

	/* The lock beside the socket of a running PostgreSQL server: no client waits for it. */
	if (!strncmp(name, POSTGRES, strlen(POSTGRES)))
		return false;
	return SPAN_ANY(span_of_string(name), span_equal, names) || ends_with(name, ".lock") ||
	       ends_with(name, ".lck");
}

bool is_database_name(struct span path)
{
	static const char *const endings[] = { ".db", ".sqlite", ".sqlite3", ".db3", ".s3db",
		".sqlitedb", ".gpkg", ".store", "-shm" };

	return SPAN_ANY(path, span_ends, endings);
}

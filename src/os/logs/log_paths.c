/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/logs/log_paths.h"

#include "base/cleanup.h"

static bool has_ending(struct span name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_ends(name, list[i]))
			return true;
	}
	return false;
}

bool log_path_is_data(struct span path)
{
	static const char *const endings[] = { ".jsonl", ".json", ".csv", ".aof", ".db", ".sqlite",
		".sqlite3", "-wal", "-journal", ".lock", ".pid", ".md", ".sql", ".xml", ".html" };

	return has_ending(path, endings, ARRAY_SIZE(endings));
}

bool log_path_is_named_log(struct span path)
{
	static const char *const endings[] = { ".log", ".err", ".out", ".stderr", "_log", "-log",
		".errors", ".stdout" };
	struct span name = path_base(path);

	return has_ending(path, endings, ARRAY_SIZE(endings)) || span_contains(path, "/log/") ||
	       span_contains(path, "/logs/") || span_contains(name, ".log.") ||
	       span_equal(name, "nohup.out");
}

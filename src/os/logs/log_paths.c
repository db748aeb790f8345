/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/logs/log_paths.h"

bool log_path_is_data(struct span path)
{
	static const char *const endings[] = { ".jsonl", ".json", ".csv", ".aof", ".db", ".sqlite",
		".sqlite3", "-wal", "-journal", ".lock", ".pid", ".md", ".sql", ".xml", ".html" };

	return SPAN_ANY(path, span_ends, endings);
}

bool log_path_is_named_log(struct span path)
{
	static const char *const endings[] = { ".log", ".err", ".out", ".stderr", "_log", "-log",
		".errors", ".stdout" };
	struct span name = path_base(path);

	return SPAN_ANY(path, span_ends, endings) || span_contains(path, "/log/") ||
	       span_contains(path, "/logs/") || span_contains(name, ".log.") ||
	       span_equal(name, "nohup.out");
}

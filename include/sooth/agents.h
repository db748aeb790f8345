/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The AI coding agents on this host: the rows of `sooth ps`.
 *
 *	struct sooth_table *agents = sooth_agents(NULL, NULL);
 *
 *	for (const struct sooth_row *a = NULL; (a = sooth_table_next(agents, a));)
 *		printf("%s %s\n", sooth_row_text(a, "pid"), sooth_row_text(a, "agent"));
 *	sooth_table_free(agents);
 */
#ifndef SOOTH_AGENTS_H
#define SOOTH_AGENTS_H

#include <stdint.h>

#include <sooth/error.h>
#include <sooth/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_agents_options). */
struct sooth_agents_options {
	size_t size;
	uint64_t interval_ns; /* over which CPU use is measured; 0: 200 ms */
	/* Further options; NULL: defaults. `sample_ns` in them is not used. */
	const struct sooth_observer_options *observer;
};

/*
 * Returns a table with a row for each process that is an agent: "pid", "agent", "version",
 * "project", "session_id", "cpu_percent", "rss_bytes", "status", "is_orphaned" and others
 * (docs/json.md). `options` may be NULL. Returns NULL on failure; `err` says why.
 *
 * Blocks for the interval. Needs no privilege; without root, less is known of other users'
 * processes. Nothing is attached. Reading a file can block for ever, so threads and child processes
 * of the library read such files; they send no SIGCHLD and end by themselves.
 */
struct sooth_table *sooth_agents(
	const struct sooth_agents_options *options, struct sooth_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One process in detail: the rows of `sooth inspect`.
 *
 *	struct sooth_table *fds = sooth_inspect(pid, "fds", NULL, NULL);
 *
 *	for (const struct sooth_row *f = NULL; (f = sooth_table_next(fds, f));)
 *		printf("%s %s\n", sooth_row_text(f, "fd"), sooth_row_text(f, "path"));
 *	sooth_table_free(fds);
 */
#ifndef SOOTH_INSPECT_H
#define SOOTH_INSPECT_H

#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_inspect_options). */
struct sooth_inspect_options {
	size_t size;
	uint64_t interval_ns; /* over which CPU use of threads is measured; 0: 200 ms */
	/* Further options; NULL: defaults. Times in them are not used. */
	const struct sooth_observer_options *observer;
};

/*
 * Returns a table of `sooth inspect -a -j`. `table` is its name in that JSON:
 *
 *   fds, by_type, fd_limits, fd_holders, fd_paths, epoll, watch_directories, watches
 *   sockets, sockets_by_state, sockets_totals
 *   maps, memory_classes, map_memory, map_runtimes
 *   threads, threads_by_state, threads_totals
 *   signals, signals_totals
 *   resource_limits, control_groups, pressure, oom
 *   environment (names of variables, never a value), environment_totals
 *
 * `options` may be NULL. Returns NULL on failure; `err` says why: -EINVAL: there is no such table,
 * -EACCES: the caller may not read the process. An empty table: the process has no such object.
 *
 * Blocks while /proc is read; tables of threads take the interval. Needs no privilege for processes
 * that the caller may trace (ptrace(2)), root for processes of other users. Nothing is attached or
 * stopped.
 */
struct sooth_table *sooth_inspect(pid_t pid, const char *table,
	const struct sooth_inspect_options *options, struct sooth_error *err);

#ifdef __cplusplus
}
#endif
#endif

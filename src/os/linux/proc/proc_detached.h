/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detached processes: their standard input is a pipe or a socket, and the process that started
 * them is gone. One of them may be a server that an agent left behind; the diagnosis decides that
 * by its name (analyze/process_table/server_name.h). A host may have thousands of them, so a
 * cheaper test here excludes those whose name cannot match.
 */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"
#include "os/linux/proc/proc_selection.h"

/* Returns whether a path or arguments contain something like a server's name. */
bool proc_detached_looks_like_server(struct span text);
/* Returns whether the executable is an interpreter of JavaScript: neither the path nor the
 * arguments of the process have the package name. */
bool proc_detached_hides_its_name(struct span executable);
/* Returns whether the process is so young that it may still rename itself. */
bool proc_detached_is_young(const struct proc_values *values);

/* Returns whether the name of a process has to be read. The entries are sorted, and is_close is
 * set. */
bool proc_detached_is_candidate(
	const struct proc_entry *entries, size_t count, const struct proc_entry *e);
/* Marks the descendants of detached processes as detached, whatever their names. To be called when
 * is_detached is set for all processes that are detached themselves. */
void proc_detached_below(struct proc_entry *entries, size_t count);

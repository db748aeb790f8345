/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture, the history or an imported file may come from anywhere. Before sooth reads one, it
 * gives up for good what explaining does not need (os/os.h, explain_only). Whatever reads one calls
 * explaining_begin() before; what needs privileges or other processes comes earlier.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Sets what starts the process of a pager before, and returns its pid or 0. */
void explaining_use_pager(pid_t (*keep)(void));
/* Notes the output files of the command, in whose folders it still may write; borrowed. */
void explaining_note_outputs(const char *const *paths, size_t count);
/* Gives up the rest, once. `path`: what is read; NULL: a folder of sooth's own. Returns the name by
 * which it can be read then: below /proc another one. A file of another tool becomes a capture in a
 * temporary file, so the folders for these stay writable then. */
const char *explaining_begin(const char *path);
/* The same for SQL, whose large tables SQLite keeps in files in the folders for temporary ones. */
const char *explaining_begin_with_tables(const char *path);

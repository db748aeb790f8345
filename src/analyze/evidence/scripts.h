/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work of a process by its script. Functions of Ruby, Perl, Lua, Tcl and most of PHP cannot be
 * read: a stack shows only C functions of the interpreter, so findings name the script beside them.
 * Also finds a shell script that waits until no process matches a pattern (`until ! pgrep -f
 * PATTERN; do ...`). If the script's own command line has the pattern (`bash -c`), it waits for
 * itself, because pgrep(1) leaves out only its own process.
 */
#pragma once

#include "analyze/process_table/process_table.h"
#include "base/buffer.h"

/* Appends ", PHP code of import.php", not escaped; nothing if the process runs no such script. */
void script_code_put(struct buffer *out, const struct process_entry *p);
/* Returns the meaning of a few functions of interpreters: " (compares values, as in_array and
 * array_search do)"; "": not known. */
const char *script_code_meaning(struct span function);
/* Returns the pattern, not escaped, within the arguments of the process; empty: the process does
 * not wait in this way. */
struct span self_match_pattern(const struct process_entry *p);
/* Returns the text that `pkill -f` was given, within its NUL-separated arguments; empty: it has
 * special characters, there are other conditions, or it is another command. */
struct span self_match_of_pkill(struct span arguments);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts of interpreters whose script functions cannot be read (Ruby, Perl, Lua, Tcl, most of
 * PHP): a stack shows only C functions of the interpreter. So findings name the script beside them,
 * and the meaning of a few of these functions.
 */
#ifndef SOOTH_ANALYZE_SCRIPT_CODE_H
#define SOOTH_ANALYZE_SCRIPT_CODE_H

#include "analyze/process_table/process_table.h"
#include "base/buffer.h"

/* Appends ", PHP code of import.php", not escaped; nothing if the process runs no such script. */
void script_code_put(struct buffer *out, const struct process_entry *p);
/* Returns " (compares values, as in_array and array_search do)"; "": not known. */
const char *script_code_meaning(struct span function);

#endif

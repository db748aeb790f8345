/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scripts of interpreters whose own functions cannot be read (Ruby, Perl, Lua, Tcl, most of PHP): a stack
 * shows the C functions of the interpreter only, so the name of the script stands beside them, and
 * what a few of these functions are called for.
 */
#ifndef SOOTH_ANALYZE_SCRIPT_CODE_H
#define SOOTH_ANALYZE_SCRIPT_CODE_H

#include "analyze/process_table/process_table.h"
#include "base/buffer.h"

/* ", PHP code of import.php"; nothing of another process. Not escaped. */
void script_code_put(struct buffer *out, const struct process_entry *p);
/* " (compares values, as in_array and array_search do)"; "": not known. */
const char *script_code_meaning(struct span function);

#endif

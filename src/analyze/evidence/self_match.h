/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A script that waits until no process matches a pattern (`until ! pgrep -f PATTERN; do ...`), with
 * the pattern in its own command line (`bash -c`): it waits for itself. pgrep(1) leaves out only
 * its own process.
 */
#ifndef SOOTH_ANALYZE_SELF_MATCH_H
#define SOOTH_ANALYZE_SELF_MATCH_H

#include "analyze/process_table/process_table.h"

/* Returns the pattern, not escaped, within the arguments of the process; empty: the process does
 * not wait in this way. */
struct span self_match_pattern(const struct process_entry *p);
/* Returns the text that `pkill -f` was given, within its NUL-separated arguments; empty: it has
 * special characters, there are other conditions, or it is another command. */
struct span self_match_of_pkill(struct span arguments);

#endif

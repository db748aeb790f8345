/* SPDX-License-Identifier: BSD-2-Clause */
/* PostgreSQL's archiver whose command fails: its title says so until the command succeeds. */
#ifndef SOOTH_ANALYZE_ARCHIVE_FAILURE_H
#define SOOTH_ANALYZE_ARCHIVE_FAILURE_H

#include "analyze/process_table/process_table.h"

/* Returns the segment of the write-ahead log that could not be archived, borrowed; empty: the
 * process is no archiver, or has not failed. */
struct span archive_failure_of(const struct process_entry *p);

#endif

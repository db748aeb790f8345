/* SPDX-License-Identifier: BSD-2-Clause */
/* Main processes by what a marker names. NULL: none. */
#ifndef SOOTH_ANALYZE_PROCESS_TABLE_LOOKUP_H
#define SOOTH_ANALYZE_PROCESS_TABLE_LOOKUP_H

#include "analyze/process_table/process_table_resolving.h"

#define PROCESS_TABLE_ANY	 UINT64_MAX	  /* user, or pid namespace */
#define PROCESS_TABLE_UNREPORTED (UINT64_MAX - 1) /* pid namespace */

/* PROCESS_TABLE_UNREPORTED when it is unknown. */
uint64_t process_table_namespace(const struct process_entry *p);
/* The process may have ended. */
struct process_entry *process_table_by_session(
	const struct resolving *s, const struct agent *agent, struct span id);

#endif

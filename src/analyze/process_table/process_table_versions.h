/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions of agents and their order. */
#ifndef SOOTH_ANALYZE_PROCESS_TABLE_VERSIONS_H
#define SOOTH_ANALYZE_PROCESS_TABLE_VERSIONS_H

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/verdicts.h"

/* Of an agent that runs, by its program or its own word; empty: not known. */
struct span process_table_version(const struct process_entry *p);
/* The newest version of its agent that is installed for its user; empty: none is known. */
struct span process_table_newest(const struct process_table *c, const struct process_entry *p);
/* Versions were looked for where it is installed, so that there is no newer one unless told. */
bool process_table_is_looked_for(const struct process_table *c, const struct process_entry *p);

#endif

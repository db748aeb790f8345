/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions of agents and their order. */
#pragma once

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/verdicts.h"

/* Returns the version of a running agent, from its program or self-reported; empty: unknown. */
struct span process_table_version(const struct process_entry *p);
/* Returns the newest version of the process's agent that is installed for its user; empty:
 * unknown. */
struct span process_table_newest(const struct process_table *c, const struct process_entry *p);
/* Returns whether a folder with versions of the process's user could not be read: a newer version
 * may be there. */
bool process_table_is_unread(const struct process_table *c, const struct process_entry *p);
/* Returns whether the places where the agent is installed were searched: then no newer version
 * exists than the recorded ones. */
bool process_table_is_searched(const struct process_table *c, const struct process_entry *p);

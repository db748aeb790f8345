/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose session a process is in, by what it carries itself. */
#ifndef SOOTH_ANALYZE_PROCESS_TABLE_OWNER_H
#define SOOTH_ANALYZE_PROCESS_TABLE_OWNER_H

#include "analyze/process_table/process_table_resolving.h"

struct owner {
	const struct agent *agent; /* NULL: nothing tells */
	struct process_entry *main;
	enum process_link tie;
	bool is_gone;
	struct sooth_text gone, doubt, session_id;
};

/* Which markers count: those that name a session, or also those that name just the agent. */
enum owner_by { OWNER_NAMED, OWNER_ANY };

/* The environment of what was started below two agents names both: one that is there comes first,
 * of these the one that started last; a doubt comes last. */
struct owner owner_by_markers(struct resolving *s, const struct process_entry *p,
	const struct markers *markers, enum owner_by by);
/* A main process holds the other end of its standard input. */
bool owner_by_input(const struct resolving *s, const struct process_entry *p, struct owner *owner);

#endif

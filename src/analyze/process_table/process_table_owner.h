/* SPDX-License-Identifier: BSD-2-Clause */
/* The session of a process, from its own markers and input. */
#pragma once

#include "analyze/process_table/process_table_resolving.h"

struct owner {
	const struct agent *agent; /* NULL: unknown */
	struct process_entry *main;
	enum process_link link;
	bool is_gone;
	struct sooth_text gone, doubt, session_id;
};

/* Which markers count: only those that name a session, or also those that name the agent. */
enum owner_by { OWNER_NAMED, OWNER_ANY };

/*
 * A process started below two agents has markers of both: a live session wins, then the latest
 * session; an undecided session comes last.
 */
struct owner owner_by_markers(struct resolving *s, const struct process_entry *p,
	const struct markers *markers, enum owner_by by);
/* Finds the owner of a process: the main process that has the other end of its standard input. */
bool owner_by_input(const struct resolving *s, const struct process_entry *p, struct owner *owner);

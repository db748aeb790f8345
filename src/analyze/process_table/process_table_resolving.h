/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps by which a census is settled (process_table.c calls them in this order), and what they
 * hand on to each other. Each goes over the processes in `order`, parents first, so that what
 * holds for a process can be taken from its parent; none recurses, and none looks at pairs.
 */
#ifndef SOOTH_ANALYZE_PROCESS_TABLE_RESOLVING_H
#define SOOTH_ANALYZE_PROCESS_TABLE_RESOLVING_H

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/process_table_markers.h"

/* A pointer to the agent, and the id with zeros behind it. */
#define PROCESS_TABLE_ID_MAX	  128
#define PROCESS_TABLE_SESSION_KEY (sizeof(uint64_t) + PROCESS_TABLE_ID_MAX)

struct resolving {
	struct process_table *process_table;
	struct process_entry **order;
	size_t count;
	struct map by_pid;     /* uint64_t -> struct process_entry *, of those that are there */
	struct map by_inner;   /* pid in a pid namespace -> the same */
	struct map by_session; /* agent and id -> a main process, also one that has ended */
	struct map oldest;     /* agent, user, pid namespace -> the main process that is oldest */
	/* Start of the oldest one that may be a main process and could not be read; 0: none. */
	uint64_t unread_ticks;
	bool is_out_of_memory;
};

/* Who started whom, without cycles whatever the records say; fills order. */
int process_table_resolve_tree(struct resolving *s);
/* Which are agents, and of these the main ones. */
void process_table_resolve_agents(struct resolving *s);
/* The ids of their sessions, and the tables by which markers are looked up. */
void process_table_resolve_sessions(struct resolving *s);
/* Whose session everything else is in. */
void process_table_resolve_owners(struct resolving *s);
/* What each does there. */
void process_table_resolve_roles(struct resolving *s);
/* Whether what is left of a gone session was left on purpose. */
void process_table_resolve_left(struct resolving *s);
/* Projects, and the session's id for all of its members. */
void process_table_resolve_projects(struct resolving *s);
/* The inputs of MCP servers and their generations. */
void process_table_resolve_servers(struct resolving *s);
/* Versions. */
void process_table_resolve_versions(struct resolving *s);

/* --- of one process --- */

struct process_entry *process_table_by_pid(const struct resolving *s, uint64_t pid);
/* A pointer kept in a map under that key; the first one stays. False: no memory. */
bool process_table_keep(struct map *m, const void *key, struct process_entry *p);
struct process_entry *process_table_kept(const struct map *m, const void *key);

/* Every agent there is, one after the other; NULL at the end. */
const struct agent *process_table_agent_next(const struct process_table *c, size_t *position);

/* It is the head of a session, or was started to start one: what it starts is judged by place. */
static inline bool process_table_is_head(const struct process_entry *p)
{
	return p->agent && p->has_role &&
	       (p->role == AGENT_ROLE_MAIN || p->role == AGENT_ROLE_LAUNCHER ||
		       p->role == AGENT_ROLE_DAEMON);
}

/* It is there, and has ended. One whose first thread has ended and others go on has not. */
static inline bool process_table_is_ended(const struct process_entry *p)
{
	return (p->process->state == 'Z' || p->process->state == 'X') && p->process->threads <= 1;
}

static inline bool process_table_is_living(const struct process_entry *p)
{
	return p->is_there && !process_table_is_ended(p);
}

static inline bool process_table_is_below(
	const struct process_entry *p, const struct process_entry *top)
{
	return p->number >= top->number && p->number < top->number_end;
}

static inline bool process_table_is_older(
	const struct process_entry *p, const struct process_entry *than)
{
	return p->id.start_ticks <= than->id.start_ticks;
}

static inline bool process_table_state_is_value(uint8_t state)
{
	return (state & 15) == SOOTH_STATE_VALUE;
}

static inline struct span process_table_arguments(const struct process_entry *p)
{
	return process_table_field(&p->process->record, &p->process->arguments);
}

static inline struct span process_table_name(const struct process_entry *p)
{
	return process_table_field(&p->process->record, &p->process->name);
}

/* Descriptors 0 and 1 are pipes or sockets, which is how a server is talked to. */
bool process_table_is_piped(const struct process_entry *p);
/* Descriptor 0 is one. */
bool process_table_is_fed(const struct process_entry *p);

/* --- texts --- */

struct sooth_text process_table_put(struct process_table *c, struct span text);
struct sooth_text process_table_say(struct process_table *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

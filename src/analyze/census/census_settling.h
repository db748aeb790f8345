/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps by which a census is settled (census.c calls them in this order), and what they
 * hand on to each other. Each goes over the processes in `order`, parents first, so that what
 * holds for a process can be taken from its parent; none recurses, and none looks at pairs.
 */
#ifndef SOOTH_ANALYZE_CENSUS_SETTLING_H
#define SOOTH_ANALYZE_CENSUS_SETTLING_H

#include "analyze/census/census.h"
#include "analyze/census/census_markers.h"

/* A pointer to the agent, and the id with zeros behind it. */
#define CENSUS_ID_MAX	   128
#define CENSUS_SESSION_KEY (sizeof(uint64_t) + CENSUS_ID_MAX)

struct settling {
	struct census *census;
	struct census_process **order;
	size_t count;
	struct map by_pid;     /* uint64_t -> struct census_process *, of those that are there */
	struct map by_inner;   /* pid in a pid namespace -> the same */
	struct map by_session; /* agent and id -> a main process, also one that has ended */
	struct map oldest;     /* agent, user, pid namespace -> the main process that is oldest */
	/* Start of the oldest one that may be a main process and could not be read; 0: none. */
	uint64_t unread_ticks;
	bool is_out_of_memory;
};

/* Who started whom, without cycles whatever the records say; fills order. */
int census_settle_tree(struct settling *s);
/* Which are agents, and of these the main ones. */
void census_settle_agents(struct settling *s);
/* The ids of their sessions, and the tables by which markers are looked up. */
void census_settle_sessions(struct settling *s);
/* Whose session everything else is in. */
void census_settle_owners(struct settling *s);
/* What each does there. */
void census_settle_roles(struct settling *s);
/* Whether what is left of a gone session was left on purpose. */
void census_settle_left(struct settling *s);
/* Projects, and the session's id for all of its members. */
void census_settle_projects(struct settling *s);
/* The inputs of MCP servers and their generations. */
void census_settle_servers(struct settling *s);
/* Versions. */
void census_settle_versions(struct settling *s);

/* --- of one process --- */

struct census_process *census_by_pid(const struct settling *s, uint64_t pid);
/* A pointer kept in a map under that key; the first one stays. False: no memory. */
bool census_keep(struct map *m, const void *key, struct census_process *p);
struct census_process *census_kept(const struct map *m, const void *key);

/* Every agent there is, one after the other; NULL at the end. */
const struct agent *census_agent_next(const struct census *c, size_t *position);

/* It is the head of a session, or was started to start one: what it starts is judged by place. */
static inline bool census_is_head(const struct census_process *p)
{
	return p->agent && p->has_role &&
	       (p->role == AGENT_ROLE_MAIN || p->role == AGENT_ROLE_LAUNCHER ||
		       p->role == AGENT_ROLE_DAEMON);
}

/* It is there, and has ended. One whose first thread has ended and others go on has not. */
static inline bool census_is_ended(const struct census_process *p)
{
	return (p->process->state == 'Z' || p->process->state == 'X') && p->process->threads <= 1;
}

static inline bool census_is_living(const struct census_process *p)
{
	return p->is_there && !census_is_ended(p);
}

static inline bool census_is_below(const struct census_process *p, const struct census_process *top)
{
	return p->number >= top->number && p->number < top->number_end;
}

static inline bool census_is_older(
	const struct census_process *p, const struct census_process *than)
{
	return p->id.start_ticks <= than->id.start_ticks;
}

static inline bool census_state_is_value(uint8_t state)
{
	return (state & 15) == SOOTH_STATE_VALUE;
}

static inline struct span census_arguments(const struct census_process *p)
{
	return census_field(&p->process->record, &p->process->arguments);
}

static inline struct span census_name(const struct census_process *p)
{
	return census_field(&p->process->record, &p->process->name);
}

/* Descriptors 0 and 1 are pipes or sockets, which is how a server is talked to. */
bool census_is_piped(const struct census_process *p);
/* Descriptor 0 is one. */
bool census_is_fed(const struct census_process *p);

/* --- texts --- */

struct sooth_text census_put(struct census *c, struct span text);
struct sooth_text census_say(struct census *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps that resolve a process table (process_table_resolve() calls them in this order), and
 * their shared state. Each step walks the processes in `order`, parents first, so a process can use
 * the result of its parent; no step recurses or compares pairs of processes.
 */
#pragma once

#include <stdarg.h>

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/process_table_sessions.h"

#define PROCESS_TABLE_ANY	 UINT64_MAX	  /* user, or pid namespace */
#define PROCESS_TABLE_UNREPORTED (UINT64_MAX - 1) /* pid namespace */

/* Key of a session: a pointer to the agent, and the id padded with zeros. */
#define PROCESS_TABLE_ID_MAX	  128
#define PROCESS_TABLE_SESSION_KEY (sizeof(uint64_t) + PROCESS_TABLE_ID_MAX)
#define PROCESS_TABLE_MAINS_MAX	  256
#define PROCESSES_MAX		  65536

struct resolving {
	struct process_table *process_table;
	struct process_entry **order;
	size_t count;
	struct map by_pid;     /* uint64_t -> struct process_entry *, of live processes */
	struct map by_inner;   /* pid in a pid namespace -> struct process_entry * */
	struct map by_session; /* agent and id -> main process, live or ended */
	struct map oldest;     /* agent, user, pid namespace -> the oldest main process */
	/* Living main processes; those beyond the limit are only in `oldest`. */
	struct process_entry *mains[PROCESS_TABLE_MAINS_MAX];
	size_t main_count;
	bool has_more_mains;
	/* Start of the oldest unreadable process that may be a main process; 0: none. */
	uint64_t unread_ticks;
	bool is_out_of_memory;
};

/* Drops the results of an earlier resolve (process_table.c). */
void process_table_forget(struct process_table *c);
/* Makes the process tree, free of cycles even if the records have some; fills `order`. */
int process_table_resolve_tree(struct resolving *s);
/* Finds agents, and their main processes. */
void process_table_resolve_agents(struct resolving *s);
/* Sets the ids of sessions, and makes the tables to look up markers. */
void process_table_resolve_sessions(struct resolving *s);
/* Sets the role of each process in its session. */
void process_table_resolve_roles(struct resolving *s);
/* Sets the inputs and generations of MCP servers. */
void process_table_resolve_servers(struct resolving *s);
void process_table_resolve_versions(struct resolving *s);

/* --- of one process --- */

struct process_entry *process_table_by_pid(const struct resolving *s, uint64_t pid);
struct process_entry *process_table_kept(const struct map *m, const void *key);

/* Walks all agents: *position starts at 0; NULL at the end. */
const struct agent *process_table_agent_next(const struct process_table *c, size_t *position);

/* Returns whether the process is the head of a session, or a launcher of one: the role of its
 * children follows from their place in the tree. */
static inline bool process_table_is_head(const struct process_entry *p)
{
	return p->agent && p->has_role &&
	       (p->role == AGENT_ROLE_MAIN || p->role == AGENT_ROLE_LAUNCHER ||
		       p->role == AGENT_ROLE_DAEMON);
}

/* Returns whether a process of the table has ended. A process whose first thread ended while others
 * run has not. */
static inline bool process_table_is_ended(const struct process_entry *p)
{
	return (p->process->state == 'Z' || p->process->state == 'X') && p->process->threads <= 1;
}

static inline bool process_table_is_living(const struct process_entry *p)
{
	return p->is_there && !process_table_is_ended(p);
}

static inline bool process_table_is_older(
	const struct process_entry *p, const struct process_entry *than)
{
	return p->id.start_ticks <= than->id.start_ticks;
}

/* Returns whether `main` may own P: of the same user, or one of them of root, which may become any
 * user. Any user can write another user's session into a file. */
static inline bool process_table_is_of_user(
	const struct process_entry *main, const struct process_entry *p)
{
	uint32_t uid = p->process->uid;

	return !uid || !main->process->uid || main->process->uid == uid;
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

/* Returns whether descriptors 0 and 1 are pipes or sockets, as of a server. */
bool process_table_is_piped(const struct process_entry *p);
/* Returns whether descriptor 0 is a pipe or socket. */
bool process_table_is_fed(const struct process_entry *p);

/* --- texts --- */

struct sooth_text process_table_put(struct process_table *c, struct span text);
struct sooth_text process_table_say(struct process_table *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
struct sooth_text process_table_say_list(
	struct process_table *c, const char *format, va_list arguments);

/* Returns the pid namespace; PROCESS_TABLE_UNREPORTED: unknown. */
uint64_t process_table_namespace(const struct process_entry *p);
/* Returns the main process of a session; it may have ended. */
struct process_entry *process_table_by_session(
	const struct resolving *s, const struct agent *agent, struct span id);

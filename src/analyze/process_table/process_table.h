/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of a host at the last sample, from records of the probe proc: the parent, agent,
 * session and role of each. Every verdict about a process rests on this
 * table.
 *
 * A process is the main process of a session, or belongs to the session of a live or ended main
 * process, or has nothing to do with agents.
 */
#pragma once

#include <sooth/record.h>

#include "recognize/agent.h"
#include "recognize/agent_set.h"
#include "analyze/records.h"
#include "base/map.h"
#include "base/walk.h"
#include "probes/proc.h"

/* Makes the evidence from a proc.process record; borrowed. Missing fields are empty. */
struct agent_evidence process_evidence(const struct sooth_record *process);

/* How the session of a process is known. */
enum process_link {
	PROCESS_LINK_NONE,
	PROCESS_LINK_SELF,     /* the process is the main process itself */
	PROCESS_LINK_ANCESTOR, /* the process descends from the main process */
	PROCESS_LINK_SESSION,  /* the environment, or the path of the output, has the id of the
				  session */
	PROCESS_LINK_PID,      /* the environment has the PID of the main process */
	PROCESS_LINK_INPUT,    /* the main process has the other end of its standard input */
	PROCESS_LINK_GROUP,    /* the main process leads its process group */
	PROCESS_LINK_LAUNCHED, /* the process launched the main process */
	PROCESS_LINK_KIND,     /* a process of an agent, in an unknown session */
};

/* Whether any process can still write to a server's standard input. */
enum process_table_input {
	PROCESS_TABLE_INPUT_NONE, /* the input is no pipe or socket, or the process is no server */
	PROCESS_TABLE_INPUT_UNKNOWN, /* input_state says why */
	PROCESS_TABLE_INPUT_HELD,
	PROCESS_TABLE_INPUT_CLOSED, /* no process has the other end */
	PROCESS_TABLE_INPUT_OWN,    /* only the server, its descendants, or leftovers of ended
				     * sessions have the other end */
};

struct process_entry {
	struct process_id id;
	struct proc_process *process; /* last proc.process record, owned */
	struct proc_ties *links;      /* owned; NULL: none came */
	struct proc_session *session; /* owned; NULL: none came */
	uint64_t first_ns, last_ns, first_cpu_ns;
	uint64_t zombie_ns; /* time it was first seen as a zombie; 0: not a zombie */
	uint64_t unfed_ns;  /* time its standard input was first seen without a writer; 0: it has a
			     * writer, or unknown */
	/* Time of the sample since which the process wrote nothing; 0: unknown. */
	uint64_t unwritten_ns;
	/* CPU and ready time of the first thread at the first sample of the interval, and when that
	 * was; 0: unknown. */
	uint64_t first_wanted_ns, first_wanted_at_ns;
	unsigned runnable_samples; /* latest samples in a row with the main thread runnable */
	bool is_there; /* the process is in the last snapshot, or there is no snapshot */

	/* Everything below is set by process_table_resolve(). */
	struct process_entry *parent; /* NULL: gone, or it started later */
	struct process_entry *first_child, *next_sibling;
	/* for an ended process: its parent at its last record, live or not */
	struct process_entry *last_parent;
	const struct agent *agent; /* the agent that this process runs; NULL: none */
	struct agent_match match;
	const struct agent *owner_agent; /* the agent whose session the process is in; NULL: none */
	struct process_entry *main; /* main process of that session; NULL: no session, or ended */
	enum process_link link;
	/*
	 * The session's main process has ended: `gone` says how that is known. For a main process,
	 * the session whose tool call started it has ended.
	 */
	bool is_main_gone;
	/* Why is_main_gone is undecided; empty: it is decided. */
	struct sooth_text doubt;
	struct sooth_text gone;
	bool has_role;
	enum agent_role role;
	uint8_t role_state;	      /* if !has_role: why it was not measured; 0: no role */
	struct process_entry *player; /* the process that has the role: itself or an ancestor */
	struct sooth_text role_name;  /* name of the server, in process_table.texts */
	struct sooth_text session_id; /* id, in process_table.texts; empty: unknown */
	uint8_t session_state;
	struct sooth_text project; /* path of the project, in process_table.texts */
	struct sooth_text place;   /* directory of the project; empty: unknown */
	uint8_t project_state;
	struct process_entry
		*above; /* main process of the session that started this main process */
	struct process_entry *linked; /* itself or the ancestor that has the evidence of `link` */
	/*
	 * For a process whose main process is gone, or no longer its ancestor: the process (itself
	 * or a related one) that left the session on purpose, and how that is known. NULL: left
	 * behind by accident, if left_state is a value.
	 */
	struct process_entry *left;
	struct sooth_text left_reason;
	uint8_t left_state;
	/* for an MCP server */
	enum process_table_input input;
	uint8_t input_state;
	uint32_t generation, generations; /* 0: not an MCP server with generations */
	struct process_entry *newer;	  /* the next generation */
	/*
	 * Position of the process in an order with parents first; its descendants follow, up to
	 * number_end (exclusive).
	 */
	uint32_t number, number_end;
};

struct process_table_installed {
	const struct agent *agent;
	uint32_t uid;
	struct sooth_text version, path; /* version and path of the agent, in process_table.texts */
};

struct process_table {
	struct agent_set *agents; /* agents of the stream, counted; NULL: the built-in ones */
	struct map processes;	  /* process_id -> struct process_entry * */
	struct buffer texts;	  /* the texts of the struct sooth_text members above */
	struct buffer installed;  /* struct process_table_installed */
	struct buffer installed_records; /* the records as they came */
	struct map newest;		 /* agent, user and PID namespace -> the newest version */
	uint64_t snapshot_from_ns;
	uint64_t last_ns;
	bool is_of_host, is_partial, hides_users, is_of_root; /* facts about the last snapshot */
	bool is_resolved;
	uint64_t bytes;	  /* size of the kept records */
	uint64_t refused; /* processes beyond the bounds */
};

void process_table_init(struct process_table *c);
void process_table_fini(struct process_table *c);
void process_table_add_record(struct process_table *c, const struct sooth_record *r);
/* Computes all members marked above; call again after more records. Returns 0 or -ENOMEM. */
int process_table_resolve(struct process_table *c);
/*
 * Starts a new CPU interval and drops ended processes, except agents, which are needed to find
 * their leftovers.
 */
void process_table_next_interval(struct process_table *c);
/* Drops ended agents too, after process_table_next_interval(): for a table in use for days. */
void process_table_drop_ended(struct process_table *c);
/* Walks the live processes in the order of their first record; *position starts at 0. */
struct process_entry *process_table_next(const struct process_table *c, size_t *position);
#define process_table_for_each(c, p) walk_each (struct process_entry *, p, process_table_next, c)
struct process_entry *process_table_get(const struct process_table *c, const struct process_id *id);
/* Returns the live process with this PID; NULL: there is none. */
struct process_entry *process_table_find(const struct process_table *c, uint32_t pid);
/* Returns whether `p` is `top` or a descendant of `top`. */
static inline bool process_table_is_below(
	const struct process_entry *p, const struct process_entry *top)
{
	return p->number >= top->number && p->number < top->number_end;
}
struct span process_table_text(const struct process_table *c, const struct sooth_text *text);
/* Returns a text field of the process record, its links or its session, borrowed. */
struct span process_table_field(const struct sooth_record *r, const struct sooth_text *text);
/* Returns whether this is a live process whose program and environment the collector could not
 * read: it may be an agent, or a leftover of an agent. False for kernel threads, and for process 1,
 * which only root may read. */
bool process_table_is_unknown(const struct process_entry *p);
/* Returns whether the process is a daemon that works for the main process of its session, which is
 * another process. The daemon may work for other sessions too. */
static inline bool process_table_is_worker(const struct process_entry *p)
{
	return p->main && p->main != p && p->has_role && p->role == AGENT_ROLE_DAEMON;
}
/* Returns whether the working directory of the process was deleted; `was` is the path that it
 * had. */
bool process_table_lost_directory(const struct process_entry *p, struct span *was);
/* Returns the state of the role field. */
static inline uint8_t process_table_role_state(const struct process_entry *p)
{
	return p->has_role ? SOOTH_STATE_VALUE : p->role_state ? p->role_state : SOOTH_STATE_ABSENT;
}
/* Returns the CPU use in percent of one CPU between the first and last record; negative: there is
 * only one record. */
double process_table_cpu_percent(const struct process_entry *p);
/* Returns the percent of that time in which the first thread ran or was ready to run; negative: not
 * measured. */
double process_table_wanted_percent(const struct process_entry *p);
/* Returns the arguments, NUL-separated, masked and perhaps cut; empty: not known, or overwritten.
 */
struct span process_table_known_arguments(const struct process_entry *p);

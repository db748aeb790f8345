/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes of a host as they were last told, who started whom, which of them are
 * agents, and what each is in whose session. It takes records of the probe proc and knows
 * nothing of rows; every judgement about processes is made on it, once.
 *
 * A process is a main one, belongs to the session of one that is there, or to one that is
 * gone; or it has nothing to do with agents.
 */
#ifndef SOOTH_ANALYZE_PROCESS_TABLE_H
#define SOOTH_ANALYZE_PROCESS_TABLE_H

#include "analyze/records.h"
#include "base/map.h"
#include "core/agent_set.h"
#include "probes/proc.h"

/* How it is known whose session a process belongs to. */
enum process_link {
	PROCESS_LINK_NONE,
	PROCESS_LINK_SELF,     /* it is the main process */
	PROCESS_LINK_ANCESTOR, /* the main process started it, or one that it started */
	PROCESS_LINK_SESSION,  /* its environment, or where it writes, has the id of the session */
	PROCESS_LINK_PID,      /* its environment has the pid of the main process */
	PROCESS_LINK_INPUT,    /* the main process holds the other end of its standard input */
	PROCESS_LINK_GROUP,    /* it is in the process group that the main process leads */
	PROCESS_LINK_LAUNCHED, /* it launched the main process */
	PROCESS_LINK_KIND,     /* only that it is an agent's: of which session is not told */
};

/* Whether anybody can still write to the standard input of a process. */
enum process_table_input {
	PROCESS_TABLE_INPUT_NONE,    /* it is no pipe or socket, or not a server's */
	PROCESS_TABLE_INPUT_UNKNOWN, /* input_state says why */
	PROCESS_TABLE_INPUT_HELD,
	PROCESS_TABLE_INPUT_CLOSED, /* nobody has the other end */
	PROCESS_TABLE_INPUT_OWN, /* only itself, what it started, or what is left of gone sessions
				  */
};

struct process_entry {
	struct process_id id;
	struct proc_process *process; /* the last record, owned */
	struct proc_ties *links;      /* owned; NULL: not told */
	struct proc_session *session; /* owned; NULL: not told */
	uint64_t first_ns, last_ns, first_cpu_ns;
	uint64_t zombie_ns; /* when it was first seen as one; 0: it is none */
	uint64_t unfed_ns;  /* when its input was first seen without a writer; 0: it has one, or
			     * that is not told */
	bool is_there;	    /* in the last snapshot, or there is none to tell */

	/* From here on what process_table_resolve() finds. */
	struct process_entry *parent; /* NULL: not there, or it started later */
	struct process_entry *first_child, *next_sibling;
	/* Of one that is not there: who was its parent when it was last told, there or not. */
	struct process_entry *last_parent;
	const struct agent *agent; /* that it is, itself; NULL: none */
	struct agent_match match;
	const struct agent *owner_agent; /* whose session it is in; NULL: nobody's */
	struct process_entry *main;	 /* of that session; NULL: nobody's, or gone */
	enum process_link tie;
	/* The session's main process has ended: `gone` says how that is known. Of a main process
	 * this is about the session whose tool call started it. */
	bool is_main_gone;
	/* Why that cannot be told, in words; empty: it can. */
	struct sooth_text doubt;
	struct sooth_text gone;
	bool has_role;
	enum agent_role role;
	uint8_t role_state;	      /* without a role: not measured, or 0, there is none */
	struct process_entry *player; /* who plays the role: it, or the ancestor that does */
	struct sooth_text role_name;  /* of an MCP or language server; in census.texts */
	struct sooth_text session_id; /* in census.texts; empty: not known */
	uint8_t session_state;	      /* of that */
	struct sooth_text project;    /* in census.texts */
	struct sooth_text place;      /* where that lies; empty: not known */
	uint8_t project_state;
	struct process_entry *above; /* of a main process: that of the session it was started in */
	struct process_entry *tied;  /* it, or the ancestor, of which the tie is known */
	/* When its main process is gone, or it does not descend from that any more: it, or the
	 * one with which it belongs, that left the session on purpose; and how that is known.
	 * NULL: by accident, if left_state is a value. */
	struct process_entry *left;
	struct sooth_text left_words;
	uint8_t left_state;
	/* Of an MCP server. */
	enum process_table_input input;
	uint8_t input_state;
	uint32_t generation, generations; /* 0: it is none */
	struct process_entry *newer;	  /* the next generation */
	/* Its place in an order with parents first; whatever is below it has one from there on up
	 * to, not including, number_end. */
	uint32_t number, number_end;
};

struct process_table_installed {
	const struct agent *agent;
	uint32_t uid;
	struct sooth_text version, path; /* in census.texts */
};

struct process_table {
	struct agent_set *agents;	 /* counted; from the stream, NULL: the built-in ones */
	struct map processes;		 /* process_id -> struct process_entry * */
	struct buffer texts;		 /* what the struct sooth_text above point into */
	struct buffer installed;	 /* struct process_table_installed */
	struct buffer installed_records; /* as they came */
	struct map newest;		 /* of agent, user and pid namespace: the newest version */
	uint64_t snapshot_from_ns;
	uint64_t last_ns;
	bool is_of_host, is_partial, hides_users; /* of the last snapshot */
	bool is_resolved;
	uint64_t refused; /* processes that passed the bound */
};

void process_table_init(struct process_table *c);
void process_table_fini(struct process_table *c);
/* Records of other probes are no matter. */
void process_table_take(struct process_table *c, const struct sooth_record *r);
/* Finds everything of the above; done again after more was taken. -ENOMEM. */
int process_table_resolve(struct process_table *c);
/* From here on CPU is measured anew; who is gone is forgotten, except agents: what they left goes
 * by them. */
void process_table_next_interval(struct process_table *c);
/* Walks the processes that are there, in the order they came; *position starts at 0. */
struct process_entry *process_table_next(const struct process_table *c, size_t *position);
struct process_entry *process_table_get(const struct process_table *c, const struct process_id *id);
struct span process_table_text(const struct process_table *c, const struct sooth_text *text);
/* The text of a field of the process record, of its ties or its session, borrowed. */
struct span process_table_field(const struct sooth_record *r, const struct sooth_text *text);
/* It is there, and nobody let the collector look at what it runs and in which environment: it may
 * be an agent, or what one left. Never a thread of the kernel, nor the first process, which may
 * have rights that no user has. */
bool process_table_is_unknown(const struct process_entry *p);
/* Of the field that tells the role. */
static inline uint8_t process_table_role_state(const struct process_entry *p)
{
	return p->has_role ? SOOTH_STATE_VALUE : p->role_state ? p->role_state : SOOTH_STATE_ABSENT;
}
/* In percent of one CPU between the first and the last record; negative: there was one only. */
double process_table_cpu_percent(const struct process_entry *p);

#endif

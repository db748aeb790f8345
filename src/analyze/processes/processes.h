/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "processes". */
#ifndef SOOTH_ANALYZE_PROCESSES_H
#define SOOTH_ANALYZE_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/process_id.h"

struct sooth_field;
struct agent;

/* The first that is listed, for a caller that has to act on it. */
struct processes_reported {
	struct process_id id;	   /* zeros: none is */
	const struct agent *agent; /* NULL: it is none */
};

enum processes_shown {
	PROCESSES_ALL,
	PROCESSES_AGENTS,   /* what is an agent, and what should not be there */
	PROCESSES_SESSIONS, /* and all else that belongs to an agent's session */
};

/* Whatever is shown, everything that came is looked at: owners may be anywhere. */
struct processes_options {
	enum processes_shown shown;
	bool is_tree;		/* each below who started it */
	const bool *wants_tree; /* told anew each time: whole sessions as trees; NULL: as above */
	bool is_verbose; /* also reasons for what is no problem, and for what could not be judged */
	bool hides_sessions; /* of people: a table of them is not wanted */
	bool emits_versions; /* what is installed, and who runs what, instead of figures */
	bool hide_ended;     /* leave out who was gone at the last sample */
	bool is_repeated;    /* it is told again and again, each time of the time between */
	/* Only these; whether they are agents or not. In a tree with all that is below them. None:
	 * those that the stream says are meant, if it says so. */
	const uint32_t *pids;
	size_t pid_count;
	bool adds_children; /* of these pids also what they start */
	bool may_lack_pids; /* one of them that was never there is no error */
	bool has_uid;	    /* only of this user */
	uint32_t uid;
	const char *agent; /* only this one's; NULL: all */
	/* Of tables: "pid,name"; NULL: what suits the rows. Behind them `more`; NULL: none. */
	const char *columns, *more;
	const struct sooth_field *sort; /* of process_row_schema; NULL: most CPU first */
	bool is_descending;		/* by `sort` */
	/* What is above is told of; 0: nothing is. */
	double cpu_over_percent;
	uint64_t rss_over_bytes;
	struct processes_reported *told; /* filled at the end; NULL: nobody asks */
};

#endif

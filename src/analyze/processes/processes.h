/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "processes". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/process_id.h"

struct sooth_field;
struct agent;
struct batch;
struct buffer;
struct sooth_error;

/* The first listed process, for a caller that acts on it. */
struct processes_reported {
	struct process_id id;	   /* zeros: none */
	const struct agent *agent; /* NULL: none */
};

enum processes_shown {
	PROCESSES_ALL,
	PROCESSES_AGENTS,   /* agents, and processes with a problem */
	PROCESSES_SESSIONS, /* as above, and all other processes of sessions */
};

/* The options select rows, not records: a process may be owned by one that is not listed. */
struct processes_options {
	enum processes_shown shown;
	bool is_tree; /* each process below its parent */
	/* Read before each frame: true: list all processes, false: sessions. NULL: use `shown`. */
	const bool *shows_all;
	bool emits_list;     /* the list by `shown` is emitted too, in a section before the table */
	bool is_verbose;     /* show reasons for harmless and undecided verdicts too */
	bool hides_sessions; /* no sessions table in text output */
	bool is_for_people;  /* text: a process that is no agent shows its owner and command */
	bool emits_versions; /* installed and running versions instead of CPU and memory */
	bool hide_ended;     /* omit processes that had ended at the last sample */
	bool is_repeated;    /* repeated report, one frame per interval */
	/*
	 * Only these pids, agents or not; in a tree with their descendants. None: the pids that the
	 * stream selects, if any.
	 */
	const uint32_t *pids;
	size_t pid_count;
	bool adds_children; /* children of these PIDs are selected too */
	bool may_lack_pids; /* a pid that never existed is not an error */
	bool has_uid;	    /* only this user */
	uint32_t uid;
	const char *agent; /* only this agent; NULL: all */
	/* columns of tables ("pid,name"), then `more`; NULL: the rows' default, and no more */
	const char *columns, *more;
	const struct sooth_field *sort; /* of process_row_schema; NULL: by CPU, highest first */
	bool is_descending;		/* the order by `sort` is descending */
	/* Thresholds for flags; 0: none. */
	double cpu_over_percent;
	uint64_t rss_over_bytes;
	struct processes_reported *reported; /* set at the end; NULL: not needed */
	struct first_answers *answers; /* answers of a report that is not repeated; NULL: none */
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that names, sessions, agents, containers, control groups and users select in a
 * process table. */
#pragma once

#include "analyze/process_table/process_table.h"
#include "cli/command/target.h"
#include "cli/selected/target_holder.h"

enum target_item_kind {
	TARGET_ITEM_NAME, /* a word: a session, else a process or agent */
	TARGET_ITEM_SESSION,
	TARGET_ITEM_AGENT,
	TARGET_ITEM_CONTROL_GROUP,
	TARGET_ITEM_CONTAINER,
	TARGET_ITEM_USER,
	TARGET_ITEM_PORT,
	TARGET_ITEM_FILE,
};

/* One option value or word that was typed. */
struct target_item {
	enum target_item_kind kind;
	const char *text;
	uint32_t uid;
	uint16_t port;
	struct target_file file;
};

struct target_search {
	struct buffer items;	 /* struct target_item */
	struct buffer processes; /* struct process_id, each once */
	struct buffer trees;	 /* uint32_t: pids of `processes` whose descendants count too */
	struct buffer hits;	 /* size_t: number of processes found for each item */
	struct buffer note;	 /* a line for each name that several processes have */
	bool is_capture;
	bool has_table;	  /* a process table was seen */
	bool has_sockets; /* a port is searched for */
	bool has_files;
	unsigned unreadable; /* processes whose descriptors could not be read */
};

/* Begins the search for the options and words that are neither a PID nor a capture; searches for
 * the user only if `with_user`. */
int target_search_begin(struct target_search *s, const struct target_options *t,
	const struct arguments *a, bool with_user, struct sooth_error *err);
/* Returns whether there is something to search for. */
bool target_search_is_needed(const struct target_search *s);
/* Adds the processes of a resolved table. -E2BIG: several session ids begin with one of the
 * texts. */
int target_search_table(
	struct target_search *s, const struct process_table *c, struct sooth_error *err);
/* Adds a process from a record between two tables of a capture: a child of a selected tree, or a
 * process with a selected name; or from a record of its descriptors. */
void target_search_record(struct target_search *s, const struct sooth_record *r);
/* Searches the descriptors of all processes of this host, if a port or a file is searched for. */
int target_search_holders(struct target_search *s, struct sooth_error *err);
/* Returns 0 if a process was found for every item, else -ESRCH. */
int target_search_end(struct target_search *s, struct sooth_error *err);
void target_search_fini(struct target_search *s);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that a command started, by repeated looks at its descendants. A process that runs
 * for less than the time between two looks is missed. A process stays known when its parent ends.
 */
#pragma once

#include "base/buffer.h"
#include "os/os.h"

struct tree_process {
	struct process_glance last;
	bool is_by_group; /* known only by the process group, start and ended parent */
};

struct tree {
	const struct os *os;
	struct process_id command;
	struct buffer processes; /* struct tree_process, the command first */
	uint64_t cpu_ns;	 /* of all, at the last look */
	bool is_cut;		 /* there are more than are followed */
};

void tree_init(struct tree *t, const struct process_id *command);
void tree_fini(struct tree *t);
size_t tree_count(const struct tree *t);
const struct tree_process *tree_at(const struct tree *t, size_t i);
/* Looks for new descendants, and drops processes that have ended. */
void tree_look(struct tree *t);
bool tree_has(const struct tree *t, pid_t pid);
/* Adds processes of sooth's process group that started after the command, and whose parent does not
 * explain them. */
void tree_add_group(struct tree *t);
/* Sends a signal to every process of the tree, parents first. Returns how many got it. */
size_t tree_signal(struct tree *t, int number);
/* Returns whether a process besides the command is alive. */
bool tree_is_left(const struct tree *t);

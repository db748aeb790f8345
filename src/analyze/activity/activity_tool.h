/* SPDX-License-Identifier: BSD-2-Clause */
/* The tool call that an agent runs, seen from outside: its processes, their age and CPU time. */
#pragma once

#include "analyze/activity/activity.h"

struct activity_tool {
	const struct process_entry *first; /* the process of the tool: a child of the agent */
	const struct process_entry
		*matters; /* the process in the tool's tree that the tool waits for */
	uint64_t age_ns;
	bool is_silent_cpu; /* the tree used no CPU time between the samples */
	bool is_stopped;    /* `matters` is stopped */
	bool has_cpu;	    /* cpu_percent is measured: there were two samples */
	double cpu_percent; /* percent of one CPU that the tree used between the samples */
	/* Time since the tree wrote anything, or the file with its output changed. */
	uint8_t output_state;
	bool is_output_least; /* output_ns is a lower bound */
	uint64_t output_ns;
	char command[ACTIVITY_COMMAND_SIZE];
};

/* Returns whether the process is stopped by a signal or a debugger, or frozen. */
bool activity_is_stopped(const struct process_entry *p);
/* Returns the age of a process at its last sample. */
uint64_t activity_age_ns(const struct host_state *host, const struct process_entry *p);
/* Finds the oldest of the main process's tool calls that are younger than `younger_ns`. Returns
 * false if there is none. */
bool activity_tool_find(struct activity_tool *tool, const struct host_state *host,
	const struct process_entry *main, uint64_t younger_ns);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen of `sooth top`: the host, the sessions of agents and their processes, with keys. */
#pragma once

#include <stdio.h>

#include "cli/watch/watch.h"

struct top;

struct top_options {
	FILE *in, *out;
	uint64_t interval_ns; /* between frames */
	bool use_color;
	const char *theme;	 /* NULL: the default */
	const char *graphs;	 /* NULL: what the terminal can do */
	const char *sort;	 /* a column; NULL: activity, or cpu in the list of all processes */
	bool is_reversed;	 /* reverse the order of `sort` */
	bool shows_all, is_tree; /* list every process; show trees, of sessions unless shows_all */
	const char *filter;	 /* NULL: none */
	bool has_own_alerts;	 /* the run diagnoses for alerts on findings itself */
	const char *const *columns; /* names of columns; for top_init() only */
	size_t column_count;	    /* 0: all that fit */
	uint64_t findings_ns;	    /* time between two diagnoses; 0: none */
	const uint32_t *pids;	    /* PIDs that the user typed; for top_open() only */
	size_t pid_count;
	bool has_targets; /* the list is of selected processes */
	/* Saves a setting; value NULL: its default. NULL: nothing is saved. */
	int (*keep)(const char *name, const char *value, struct sooth_error *err);
};

int top_open(struct top **out, const struct top_options *options, struct sooth_error *err);
/* Returns the front by which a run feeds the screen. */
struct watch_front top_front(struct top *t);
/* Returns a flag that the view of processes reads before each frame: the whole host is to be
 * listed. */
const bool *top_shows_all(const struct top *t);
/* Begins a replay: frames from now on are those of a capture; false: no memory. */
bool top_begin_replay(struct top *t);
/* Shows these frames until the user quits. */
void top_replay(struct top *t);
/* Restores the terminal. Accepts NULL. */
void top_close(struct top *t);

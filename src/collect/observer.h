/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of the observer for the rest of the library, and for tests. */
#pragma once

#include <sooth/observer.h>
#include "capture/block.h"

struct backend_mode;
struct os;
struct process_id;

/* Makes an observer on an `os` that is not the built-in one, for tests. */
int observer_new_on(struct sooth_observer **out, const struct os *os,
	const struct sooth_observer_options *options, struct sooth_error *err);
/* Sets the time between two samples, counted from the last one. */
void observer_sample_every(struct sooth_observer *o, uint64_t sample_ns);
/* Returns the number of samples with new processes of agents; 0: not counted. */
uint64_t observer_agent_arrivals(const struct sooth_observer *o);
/* Has the stacks of a probe that runs get source lines. */
void observer_request_lines(struct sooth_observer *o, const char *probe);
/* Adds a probe while the observer runs, for one process of the target and its later children. If it
 * cannot be observed, the stream has a limit that says so, and the run goes on. */
void observer_add_late(struct sooth_observer *o, const char *probe, unsigned interest,
	const struct process_id *process);

/* Returns whether a probe observes less than requested, to limit its overhead. */
bool observer_is_lightened(const struct sooth_observer *o);

/* A probe of the observer, and how it would be observed. */
struct observer_planned {
	const char *probe;
	const struct backend_mode *mode; /* NULL: no backend works here */
	const char *refusals;		 /* better backends that do not work; "": none */
	const struct sooth_error *error; /* with mode NULL */
};

/* Plans instead of sooth_observer_start(), and takes each probe. Nothing is attached, launched or
 * read, but for what the target is. */
int observer_plan(struct sooth_observer *o,
	int (*take)(void *user, const struct observer_planned *p, struct sooth_error *err),
	void *user, struct sooth_error *err);
int observer_connect(
	struct sooth_observer *o, block_handler handler, void *user, struct sooth_error *err);

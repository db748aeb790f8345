/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hub attaches to the kernel once for any number of observers: it counts the requests for each
 * process, and passes only changes to the backend. Observers share a backend whose records come by
 * themselves (it has a drain). A backend that samples is opened for each observer.
 */
#pragma once

#include "base/map.h"
#include "collect/backend.h"

struct hub;
struct hub_source;

/* Takes records of one source, from hub_cycle() or hub_stop(). */
typedef int (*hub_receiver)(
	void *user, struct hub_source *source, const struct batch *batch, struct sooth_error *err);

int hub_new(struct hub **out, const struct os *os, const struct log *log, struct sooth_error *err);
struct hub *hub_ref(struct hub *hub);
void hub_unref(struct hub *hub);
/* Returns the number of arrivals of agents' processes; see agents_found.h. */
uint64_t hub_agent_arrivals(const struct hub *hub);
const struct os *hub_os(const struct hub *hub);

/* Adds a receiver of records. The same `user` goes to hub_leave(). */
int hub_join(struct hub *hub, hub_receiver receiver, void *user, struct sooth_error *err);
void hub_leave(struct hub *hub, void *user);

/* Opens, or shares, the best backend of the probe that works here: the cheapest one, then
 * the one of lowest rank. Each better backend that does not work adds a line to `refusals`. If none
 * works, the error is the last refusal. */
int hub_acquire(struct hub *hub, const char *probe, const struct probe_options *options,
	struct hub_source **out, struct buffer *refusals, struct sooth_error *err);
/* Finds the backend that hub_acquire() would open, and opens nothing: only its needs, and the
 * permission for the process, or for all if the options say so, are tested. */
int hub_choose(const struct os *os, const char *probe, const struct probe_options *options,
	const struct process_id *process, const struct backend **out, struct buffer *refusals,
	struct sooth_error *err);
void hub_release(struct hub *hub, struct hub_source *source);
/* Returns whether another observer has started the source too. */
bool hub_is_shared(const struct hub_source *source);
/* Returns whether the source observes less than requested, to limit its overhead: then it counts
 * also what was requested as a stream. */
bool hub_is_lightened(const struct hub_source *source);
/* Returns whether a join record of a process may have been lost. */
bool hub_has_lost_comings(const struct hub_source *source);
const struct backend *hub_source_backend(const struct hub_source *source);

/* Adds or removes an observer's request of `interest` in the process. is_followed: the kernel side
 * already has the process (it follows the parent), or has dropped it (the process ended). */
int hub_want(struct hub_source *source, const struct process_id *process, unsigned interest,
	bool is_followed, struct sooth_error *err);
int hub_unwant(struct hub_source *source, const struct process_id *process, unsigned interest,
	bool is_followed, struct sooth_error *err);
/* Returns whether an observer has requested the process from the source. */
bool hub_is_wanted(const struct hub_source *source, const struct process_id *process);
/* Source lines of stacks are read at the end, too. */
void hub_request_lines(struct hub_source *source);
int hub_start(struct hub *hub, struct hub_source *source, struct sooth_error *err);
/* Stops the source for an observer. For the last observer the backend is stopped; before that, only
 * the waiting records are delivered. */
int hub_stop(struct hub *hub, struct hub_source *source, struct sooth_error *err);
/* Stops a sampled source for an observer, without last records. */
void hub_forget(struct hub_source *source);
/* Delivers the waiting records of one source with a drain. */
int hub_drain(struct hub *hub, struct hub_source *source, struct sooth_error *err);
int hub_sample(struct hub *hub, struct hub_source *source, struct sooth_error *err);
/* Informs the backend that the command is about to run. */
int hub_launching(struct hub_source *source, struct launch *launch, struct sooth_error *err);
void hub_joined(struct hub_source *source, const struct process_id *process);
/* Drains every source and delivers. All records before *complete_ns have then been delivered. */
int hub_cycle(struct hub *hub, uint64_t *complete_ns, struct sooth_error *err);
/* Writes up to `max` descriptors that are worth waiting on; returns how many. */
size_t hub_descriptors(const struct hub *hub, int *descriptors, size_t max);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hub owns what is attached to the kernel, once, however many observers
 * want it: for each process it counts the requests, and passes the backend
 * only changes. A backend whose data flows by itself (it has a drain) is
 * shared; one that samples is each observer's own.
 */
#ifndef SOOTH_COLLECT_HUB_H
#define SOOTH_COLLECT_HUB_H

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
/* How often processes of agents have come, as agents_found.h counts it. */
uint64_t hub_agent_arrivals(const struct hub *hub);
const struct os *hub_os(const struct hub *hub);

/* The receiver of records; the same user token goes to hub_leave(). */
int hub_join(struct hub *hub, hub_receiver receiver, void *user, struct sooth_error *err);
void hub_leave(struct hub *hub, void *user);

/*
 * The best backend of the probe that works here, opened or shared: that which needs least for these
 * processes (struct process_id; NULL: unknown), then that of the lowest rank. The reasons why
 * better ones do not work are added to `refusals`, a line each. Fails with the last refusal when
 * none works.
 */
int hub_acquire(struct hub *hub, const char *probe, const struct probe_options *options,
	const struct buffer *processes, struct hub_source **out, struct buffer *refusals,
	struct sooth_error *err);
void hub_release(struct hub *hub, struct hub_source *source);
/* Whether another observer has started it too. */
bool hub_is_shared(const struct hub_source *source);
/* Whether the record of a process's coming may have been lost. */
bool hub_has_lost_comings(const struct hub_source *source);
const struct backend *hub_source_backend(const struct hub_source *source);

/* Adds or removes an observer that wants `interest` of the process. is_followed: the kernel side
 * has the process already, because it follows the parent, or has dropped it because it ended. */
int hub_want(struct hub_source *source, const struct process_id *process, unsigned interest,
	bool is_followed, struct sooth_error *err);
int hub_unwant(struct hub_source *source, const struct process_id *process, unsigned interest,
	bool is_followed, struct sooth_error *err);
int hub_start(struct hub *hub, struct hub_source *source, struct sooth_error *err);
/* Stops the source for an observer. The last one stops the backend; for the others only what is
 * waiting is handed over. */
int hub_stop(struct hub *hub, struct hub_source *source, struct sooth_error *err);
/* Stops the source for an observer without its last records; for a source that is only sampled. */
void hub_forget(struct hub_source *source);
/* Hand over what is waiting in one source that drains. */
int hub_drain(struct hub *hub, struct hub_source *source, struct sooth_error *err);
int hub_sample(struct hub *hub, struct hub_source *source, struct sooth_error *err);
/* The command is about to run. */
int hub_launching(struct hub_source *source, struct launch *launch, struct sooth_error *err);
void hub_joined(struct hub_source *source, const struct process_id *process);
/* Drain every source and deliver. *complete_ns: everything before it has been delivered. */
int hub_cycle(struct hub *hub, uint64_t *complete_ns, struct sooth_error *err);
/* Descriptors worth waiting on; returns how many of `max`. */
size_t hub_descriptors(const struct hub *hub, int *descriptors, size_t max);

#endif

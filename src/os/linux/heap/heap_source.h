/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap backends of Linux differ only in how they probe functions (prober.h). Each backend has a
 * file with the needs and the cost of its way.
 *
 * Cannot be seen: allocators without symbols; calls of a program's own memory pools; calls of a
 * library between its mapping and its probing, which are reported as a gap; a call that was in
 * progress when its thread was attached to.
 */
#pragma once

#include "base/error.h"
#include "base/units.h"
#include "bpf/heap.h"
#include "os/linux/heap/heap_adapt.h"
#include "os/linux/heap/heap_attach.h"
#include "os/linux/heap/heap_probed.h"

struct heap_pauser;
struct heap_stacks;
struct heap_sums_reader;

#define HEAP_LATENESS_NS (5 * NS_PER_MS)

/* Some processes are observed by another engine: only the processes in `probed`, and their
 * children, are probed. */
struct heap_elsewhere {
	struct map probed; /* uint32_t, a PID: see heap_attach_only() */
	/* Whether that engine observes the program that a process has just begun. */
	bool (*takes)(void *user, const struct process_id *process, const struct heap_begun *begun);
	/* Returns whether a process is probed because one of its ancestors is, perhaps not yet in
	 * `probed`. */
	bool (*inherits)(void *user, pid_t pid);
	/* Called when a process is probed from now on, or (is_over) no longer. */
	void (*note)(void *user, const struct process_id *process, bool is_over);
	void *user;
};

struct heap_state {
	struct follow follow;
	struct heap_control *control;
	uint64_t reported_lost; /* part of control->lost_aggregates already reported */
	struct heap_attach attach;
	struct heap_hit_cost hit_cost;
	struct heap_adapt adapt;
	struct heap_stacks *stacks;    /* NULL: not requested */
	struct heap_sums_reader *sums; /* NULL: not requested */
	struct buffer left; /* struct process_id of processes that ended since the last reading */
	struct buffer attached; /* struct process_id of processes that ran before the attach */
	unsigned processes_without_allocator; /* attached processes without an allocator to probe */
	struct heap_elsewhere *elsewhere;     /* NULL: there is no other engine */
	struct heap_pauser *pauser;	      /* for a launched command that may be paused */
};

/* Returns the cost of an engine: 0: the chosen one; UINT64_MAX: not to be tried. */
uint64_t heap_engine_cost(const struct probe_options *options, enum sooth_heap_engine engine);
uint64_t heap_source_cost(const struct probe_options *options);
/* Returns whether an option is only known to the kernel side. */
bool heap_needs_kernel(const struct probe_options *options);
/* Returns the interest for the kernel side: calls that are aggregated are not streamed. */
unsigned heap_source_interest(const struct backend_run *run, unsigned interest);
int heap_source_open(
	struct backend_run *run, const struct prober_type *prober, struct sooth_error *err);
/* Shares the source. Called before the first process. */
void heap_source_share(struct backend_run *run, struct heap_elsewhere *elsewhere);
/* Lets probed programs be paused while they load and while the ring is full, except the command
 * itself. */
int heap_source_pause(
	struct backend_run *run, const struct process_id *command, struct sooth_error *err);
/* Adds a process to those that probes may attach to; its children are added when they start. Does
 * nothing without heap_source_share(): then all followed processes are probed. The caller makes
 * follow.h follow the process. */
void heap_source_allow_probes(struct heap_state *s, const struct process_id *process);
int heap_source_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err);
int heap_source_start(struct backend_run *run, struct sooth_error *err);
int heap_source_drain(struct backend_run *run, struct sooth_error *err);
int heap_source_stop(struct backend_run *run, struct sooth_error *err);
int heap_source_descriptor(struct backend_run *run);
/* As hits() and lighten() of struct backend. A hit is the price of a call without its stack. */
uint64_t heap_source_hits(struct backend_run *run);
bool heap_source_lighten(struct backend_run *run, struct backend_step *step);
void heap_source_close(struct backend_run *run);

/* A program that allocates without a pause may take a hundred times as long meanwhile. */
#define HEAP_LOOK_NS (50 * NS_PER_MS)

/* The members of struct backend that all of them share. */
#define HEAP_SOURCE                                                                                \
	.probe = "heap", .price_source = "bench/heap on Linux 6.18",                               \
	.lateness_ns = HEAP_LATENESS_NS, .state_size = sizeof(struct heap_state),                  \
	.set = heap_source_set, .start = heap_source_start, .drain = heap_source_drain,            \
	.stop = heap_source_stop, .look_ns = HEAP_LOOK_NS, .idle_parts = 1,                        \
	.hits = heap_source_hits, .lighten = heap_source_lighten,                                  \
	.descriptor = heap_source_descriptor, .close = heap_source_close

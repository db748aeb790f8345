/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of one snapshot of the probe waits, with access to related records. */
#pragma once

#include "analyze/snapshots.h"
#include "probes/waits.h"

struct wait_graph {
	struct batch records;
	struct batch before;		  /* records of an earlier snapshot; empty: none */
	const struct waits_snapshot *end; /* NULL: not known */
};

/* Returns the graph of a process: its last snapshot and its first. NULL: there is none. */
struct wait_graph wait_graph_of(const struct snapshot *last, const struct snapshot *first);
/* Returns the enum sooth_state of the other ends of descriptors: whether all processes could be
 * read. */
uint8_t wait_graph_ends_state(const struct wait_graph *g);
/* Returns whether not all processes of the chains were read. */
bool wait_graph_is_cut(const struct wait_graph *g);
const struct waits_process *wait_graph_process(const struct wait_graph *g, uint32_t pid);
/* Returns the thread of the process after `before`; NULL gives the first. */
const struct waits_thread *wait_graph_thread(
	const struct wait_graph *g, uint32_t pid, const struct waits_thread *before);
#define wait_threads_each(g, pid, t)                                                               \
	for (const struct waits_thread *t = NULL; (t = wait_graph_thread(g, pid, t));)
const struct waits_thread *wait_graph_thread_of(
	const struct wait_graph *g, uint32_t pid, uint32_t tid);
/* Returns whether the thread ran since the first snapshot; true if that is unknown. */
bool wait_graph_has_run(const struct wait_graph *g, const struct waits_thread *t);
/* Returns the object, or party, of a thread after `before`; NULL gives the first. */
const struct waits_object *wait_graph_object(const struct wait_graph *g,
	const struct waits_thread *of, const struct waits_object *before);
const struct waits_party *wait_graph_party(
	const struct wait_graph *g, uint32_t pid, uint32_t tid, const struct waits_party *before);
#define wait_parties_each(g, pid, tid, p)                                                          \
	for (const struct waits_party *p = NULL; (p = wait_graph_party(g, pid, tid, p));)
#define wait_objects_each(g, t, o)                                                                 \
	for (const struct waits_object *o = NULL; (o = wait_graph_object(g, t, o));)
/* Returns the signals record of a process in a snapshot; NULL: not read, or an older capture. */
const struct waits_signals *find_process_signals(const struct batch *records, uint32_t pid);
/* Returns the parent of the process if it reads the same input. It is no party: it cannot end the
 * wait. */
const struct waits_party *wait_graph_sharer(
	const struct wait_graph *g, uint32_t pid, uint32_t tid, uint32_t fd);
/* Returns the percent of one CPU that the process used between the two snapshots; negative:
 * unknown. */
double wait_graph_cpu(const struct wait_graph *g, uint32_t pid);
double wait_graph_thread_cpu(const struct wait_graph *g, const struct waits_thread *t);
/* Returns the share of user mode in the CPU time of the process, from 0 to 1. */
double wait_graph_user_share(const struct wait_graph *g, uint32_t pid);

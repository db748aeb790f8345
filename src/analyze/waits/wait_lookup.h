/* SPDX-License-Identifier: BSD-2-Clause */
/* The objects and parties of a thread, and what kind an object is of. */
#ifndef SOOTH_ANALYZE_WAIT_LOOKUP_H
#define SOOTH_ANALYZE_WAIT_LOOKUP_H

#include "analyze/waits/wait_chain.h"

/* The party that says most; counts the others into the link. */
const struct waits_party *wait_best_party(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link);
/* The youngest of a relation; counts all of them. */
const struct waits_party *wait_youngest_party(const struct wait_graph *g,
	const struct waits_thread *t, enum waits_relation relation, unsigned *count);
/* The best party found by a descriptor. */
const struct waits_party *wait_party_by_fd(
	const struct wait_graph *g, const struct waits_thread *t, uint32_t fd);
const struct waits_object *wait_first_object(
	const struct wait_graph *g, const struct waits_thread *t, enum waits_role role);
/* The terminal that a stopped process used, or another one of its job; NULL: none did. */
const struct waits_object *wait_used_terminal(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t);
bool wait_is_pager(const struct waits_process *p);
bool wait_is_terminal(const struct waits_object *o);
/* The other end of a pseudo terminal, of the program that runs it. */
bool wait_is_terminal_master(const struct waits_object *o);
/* Data written at one end is read at the other: a pipe, a FIFO, the master of a terminal. */
bool wait_is_pipe(const struct waits_object *o);
/* Blocked writing to a pipe or a local socket. */
bool wait_is_writing(const struct wait_link *link);
/* " (its standard error)" of one that is blocked writing there, else "". */
const char *wait_error_output(const struct wait_link *link);
bool wait_is_socket(const struct waits_object *o);
bool wait_listens(const struct waits_object *o);
bool wait_is_connection(const struct waits_object *o);
/* The other end of its connection has been gone for a while: a young one may have been met half
 * way. */
bool wait_is_half_open(const struct wait_link *link);

/* It waits for another thread of the process: a lock, a condition, an end. */
bool wait_is_of_locks(const struct wait_link *link);
bool wait_is_woken_by_time(const struct waits_thread *t);
/* A lock in memory that other processes can have too: one of them can end the wait. */
bool wait_is_shared(const struct wait_link *link);

#endif

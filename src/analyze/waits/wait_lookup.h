/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the objects and parties of a thread, and testing the kind of an object. */
#pragma once

#include "analyze/waits/wait_chain.h"

/* Returns the most informative party, and sets link->others to the number of the others. */
const struct waits_party *wait_best_party(
	const struct wait_graph *g, const struct waits_thread *t, struct wait_link *link);
/* Returns the youngest party of a relation, and sets `count` to their number. */
const struct waits_party *wait_youngest_party(const struct wait_graph *g,
	const struct waits_thread *t, enum waits_relation relation, unsigned *count);
/* Returns the server of the mount whose answer a thread waits for; NULL: its mount is not known.
 * Its party_pid is 0 if only the mount is. */
const struct waits_party *wait_server_of(const struct wait_graph *g, uint32_t pid, uint32_t tid);
/* Returns the best party at the other end of a descriptor. */
const struct waits_party *wait_party_by_fd(
	const struct wait_graph *g, const struct waits_thread *t, uint32_t fd);
const struct waits_object *wait_first_object(
	const struct wait_graph *g, const struct waits_thread *t, enum waits_role role);
/* Returns the terminal that a stopped process, or another process of its job, used; NULL: none
 * did. */
const struct waits_object *wait_used_terminal(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t);
bool wait_is_pager(const struct waits_process *p);
bool wait_is_terminal(const struct waits_object *o);
/* Returns whether an object is the master of a pseudo terminal, held by the program that runs it.
 */
bool wait_is_terminal_master(const struct waits_object *o);
/* Returns whether data written at one end is read at the other: a pipe, a FIFO, a terminal's
 * master. */
bool wait_is_pipe(const struct waits_object *o);
/* Returns whether the link is blocked writing to a pipe or a local socket. */
bool wait_is_writing(const struct wait_link *link);
/* Returns " (its standard error)" if the link is blocked writing to standard error, else "". */
const char *wait_error_output(const struct wait_link *link);
bool wait_is_socket(const struct waits_object *o);
bool wait_listens(const struct waits_object *o);
bool wait_is_connection(const struct waits_object *o);
/* Returns whether the thread has waited for some seconds to write to a connection whose peer does
 * not read. */
bool wait_is_unwritable(const struct waits_thread *t, const struct waits_object *o);
/* Returns whether the process made the connection: to a Unix socket with a name, or its answer is
 * awaited on TCP. */
bool wait_is_outgoing(const struct waits_object *o);
/* Returns whether two descriptors are the ends of one connection by IP within this host. */
bool wait_is_other_end(const struct waits_object *a, const struct waits_object *b);
/* Returns whether the other end of the connection is missing, except for a young connection, which
 * may only be half made. */
bool wait_is_half_open(const struct wait_link *link);

/* Returns whether the thread waits until its control group (version 1) has memory again: the OOM
 * killer is off there (Linux, mm/memcontrol-v1.c). */
bool wait_is_for_memory(const struct waits_thread *t);

/* Returns whether this is a pipe, or the pair of sockets that some runtimes make instead. */
bool wait_may_be_output(const struct waits_object *o);
/* Returns whether the party has the other end as its output or error output: a helper that is asked
 * has another descriptor. */
bool wait_is_output_of(const struct waits_party *p);

/* Returns whether a process with the other end of `o` may keep an output open: by its standard
 * output or error; by any descriptor, if a read waits for nothing else. A pipe that is watched
 * among others may have been made for messages of that process. */
bool wait_may_be_output_of(const struct waits_party *p, const struct waits_object *o);
/* Returns whether the link waits for the end of an output: the command that the waiting process
 * started has ended, but left behind a process, adopted by init, that still has the output open. */
bool wait_is_left_output(const struct wait_graph *g, const struct wait_link *link);
/* Returns whether the link waits for another thread of its process: for a lock, a condition or the
 * end of the thread. */
bool wait_is_of_locks(const struct wait_link *link);
bool wait_is_woken_by_time(const struct waits_thread *t);
/* Returns whether the link waits for a lock in memory that may be shared with other processes, one
 * of which could end the wait. */
bool wait_is_shared(const struct wait_link *link);
/* Returns whether the link waits for a lock in shared memory that its party perhaps has. */
bool wait_is_of_owner(const struct wait_link *link);
/* Returns whether it waits for a mutex in shared memory whose owner is no thread any more. */
bool wait_is_left_mutex(const struct wait_link *link);
/* Returns whether the thread has been for some seconds in a call in which no thread rests:
 * something else has to happen first. */
bool wait_is_held(const struct wait_link *link);
/* Returns whether the process is stopped or frozen. */
bool wait_is_stopped(const struct wait_link *link);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wait of a process as a chain of links: its own wait, then the wait of the process or thread
 * that could end it, and so on. The chain ends at a process that waits for no other one, or for an
 * earlier link: a deadlock.
 */
#pragma once

#include "analyze/waits/wait_graph.h"

enum wait_what {
	WAIT_UNKNOWN,
	WAIT_RUNS,
	WAIT_READY, /* could run, but has no CPU */
	WAIT_CHILD,
	WAIT_PIPE_READ,
	WAIT_PIPE_WRITE,
	WAIT_FIFO_OPEN,
	WAIT_SOCKET_READ,
	WAIT_SOCKET_WRITE,
	WAIT_CONNECT,
	WAIT_ACCEPT,
	WAIT_TERMINAL_READ,
	WAIT_TERMINAL_WRITE,
	WAIT_LOCK,
	WAIT_LOCK_FILE,
	WAIT_MUTEX,
	WAIT_THREAD_END,
	WAIT_CONDITION,
	WAIT_ALL_THREADS, /* every thread waits for another */
	WAIT_SLEEP,
	WAIT_EVENTS,
	WAIT_SIGNAL,
	WAIT_TIMER,
	WAIT_FILE_CHANGES,
	WAIT_IO,
	WAIT_FILE_SYSTEM, /* the thread waits for an answer of a FUSE daemon or network server */
	WAIT_HANDLER,	  /* a process has to give a page of its memory, or to decide on its call */
	WAIT_IO_URING,
	WAIT_IPC,
	WAIT_DATABASE_LOCK,
	WAIT_DEBUGGER,
	WAIT_STOPPED,
	WAIT_STOPPED_BY_TERMINAL,
	WAIT_FROZEN,
	WAIT_ZOMBIE,
	WAIT_KERNEL_THREAD,
	WAIT_WHATS,
};

struct wait_link {
	const struct waits_process *process;
	const struct waits_thread *thread; /* NULL: the process has no threads any more */
	enum wait_what what;
	const struct waits_object *object;	   /* NULL: none */
	const struct waits_party *party;	   /* NULL: none is known */
	const struct waits_process *party_process; /* NULL: it was not read */
	unsigned others;			   /* number of further parties like `party` */
	unsigned count; /* number of descriptors (EVENTS) or threads (ALL_THREADS) */
	enum waits_confidence confidence;
	bool is_idle;	/* a healthy wait for work */
	bool is_active; /* a wait for work of a process that runs much in between */
	bool is_inside; /* JVM: its threads wait for each other, or for work */
	bool is_polling;
	bool is_closed;	    /* the further parties wait for the chain too */
	bool repeats;	    /* `party` is an earlier link: a deadlock */
	bool wants_request; /* a server, whose client has no request open on the connection */
	double cpu_percent;
};

#define WAIT_LINKS_MAX 24

struct wait_chain {
	struct wait_link links[WAIT_LINKS_MAX];
	size_t count;
	size_t circle; /* index of the first link of a circle; `count`: none */
	bool is_deadlock;
	bool is_exchange;   /* idle: two read from each other, and ran a moment ago */
	bool is_of_readers; /* each process of the circle only reads from the next one */
	bool is_open;	    /* a thread or process outside the circle could end it */
	/* The answer of this link is in its buffer, and both only read from each other; NULL: none.
	 */
	const struct wait_link *keeper;
};

/* The end of a chain. */
struct wait_root {
	/* If no process is known: the inode of the pipe or socket; for another file the hash of its
	 * path; in the upper half the thread that had the mutex and has ended; 0: none. */
	uint64_t object;
	uint32_t pid; /* the oldest of a circle; 0: none */
	uint32_t unused;
};

/* Finds the end of the chain; all 0: only the waiting process itself is known. */
void wait_chain_root(const struct wait_chain *chain, struct wait_root *out);
/* Returns the link for the wait of a thread (wait_kinds.c). */
struct wait_link wait_link_of(
	const struct wait_graph *g, const struct waits_process *p, const struct waits_thread *t);
/* Returns whether a child waits for its parent, or for work: nothing waits for such a server. */
bool wait_is_server_of(const struct wait_graph *g, uint32_t child, uint32_t parent);
/* Returns whether the end of a child can end the wait for events. */
bool wait_is_woken_by_children(const struct wait_graph *g, const struct waits_thread *t);
/* Follows the server that a client waits for: a server with one open request to another server
 * waits for that one. */
void wait_link_follow_server(const struct wait_graph *g, struct wait_link *link);
void wait_chain_follow(const struct wait_graph *g, uint32_t pid, struct wait_chain *out);
/* Follows the chain from thread `tid`, even if that thread does not matter; if there is no such
 * thread the chain is empty. */
void wait_chain_follow_thread(
	const struct wait_graph *g, uint32_t pid, uint32_t tid, struct wait_chain *out);
/* Returns whether the link waits for a mutex whose owner, a thread of the same process, has
 * ended. */
bool wait_is_abandoned(const struct wait_graph *g, const struct wait_link *link);
/* Returns the confidence of the weakest link. */
enum waits_confidence wait_chain_confidence(const struct wait_chain *chain);

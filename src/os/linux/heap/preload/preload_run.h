/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs that run with sooth's library. Each program connects to a socket of sooth when it
 * starts, gets memory to record its calls in, and closes the connection. Its threads and forked
 * children use the same memory and do not connect.
 *
 * Two threads work here beside the collector's thread: one answers programs, the other reads their
 * records. The collector may be in a slow write while programs fill their rings.
 *
 * Only the user of the command and root reach the socket, and sooth answers only a program that
 * knows the token from the command's environment. A program's own claims are not believed: the
 * kernel says which process it is.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/heap/preload/preload_clock.h"
#include "os/linux/heap/preload/preload_segment.h"

#define PRELOAD_PATH_BYTES 108 /* of a socket */

/* A thread that waits until its calls are probed. */
struct preload_asked {
	const struct preload_segment *segment; /* valid while the run has the segment */
	struct process_id process;
	unsigned slot;
	uint32_t ask, around;
};

/* A process that connected, or that the run has found. */
struct preload_process {
	struct process_id id;
	int directory;		 /* /proc/PID */
	int exit;		 /* a pidfd */
	preload_program program; /* the program that the process runs */
	bool is_filtered;	 /* has a seccomp filter that sooth does not have */
	bool is_forked;		 /* runs its parent's program, under a program number of its own */
	bool is_nested; /* is in a PID namespace of its own, where its thread numbers differ */
	bool has_left;
	char name[PROCESS_NAME_SIZE];
};

/* Programs that do not load the library (preload_unseen.h). */
struct preload_unseen {
	struct map programs; /* device and inode -> bool: was reported */
	struct map
		waiting; /* struct process_id that was met without its library -> uint64_t, when */
	struct buffer paths; /* paths of the new ones, each ended by a NUL */
};

struct preload_run {
	const struct os *os;
	bool streams; /* records single calls */
	bool pauses;  /* the command, while its buffer is full */
	char folder[64], path[PRELOAD_PATH_BYTES];
	char token[PRELOAD_TOKEN_BYTES + 1];
	unsigned filters; /* seccomp filters of sooth; UINT_MAX: unknown */
	uid_t uid;	  /* user of the command */
	int listening, stop, memory;
	int marker; /* inotify: programs that could not connect */
	int wake;   /* wakes the answerer thread: there are requests */
	int filled; /* readable when a drain is worth it */
	struct preload_page *page;
	struct preload_clock clock;
	pthread_t answerer, reader;
	unsigned threads;
	atomic_bool is_stopping;
	pthread_mutex_t lock; /* guards all members that follow */
	struct process_id command;
	const struct launch *launch;
	struct buffer processes; /* struct preload_process */
	struct buffer segments;	 /* struct preload_segment * */
	struct buffer staged;	 /* records for the next drain */
	uint64_t look_ns;	 /* start of the last reading */
	uint64_t complete_ns;	 /* all records up to this time are staged or drained */
	uint64_t drained_ns;	 /* all records up to this time are drained */
	struct preload_missing missing, reported;
	uint64_t failed, reported_failed; /* processes that could not map their memory */
	uint64_t unseen_ns;		  /* time of the last search for unseen programs */
	bool has_ended;			  /* a process has ended since the collector was woken */
	uint64_t looked_ns;		  /* time of the last search for ended threads */
	uint64_t connected;		  /* number of programs */
	struct map met;		  /* uint32_t, a PID -> uint64_t, when its program connected */
	struct map forked;	  /* uint32_t, a PID -> struct process_id, as the kernel says */
	uint64_t searched_ns;	  /* time of the last search for a forked child */
	uint64_t filters_ns;	  /* time of the last search for seccomp filters */
	uint64_t freed_ns;	  /* time of the last search for memory that no process maps */
	struct buffer asked;	  /* struct preload_asked */
	bool is_coarse;		  /* a program has no clock */
	preload_program programs; /* last program number in use, forked programs included */
	struct preload_stacks *stacks; /* NULL: not requested */
	struct preload_unseen unseen;
	bool execs_are_known; /* the kernel reports each exec, so sooth need not search */
	/* Returns whether the kernel observes this process. NULL: the kernel does not report
	 * processes. Called with the lock held. */
	bool (*is_elsewhere)(void *user, pid_t pid);
	void *elsewhere_user;
	uint32_t around; /* PRELOAD_AROUND_*: calls that are missing */
	/* Calls of a process will go around the library, and a thread of the process waits until
	 * this returns. True: all its calls are probed from now on. NULL: such calls are missing.
	 * Called without the lock. */
	bool (*calls_around)(void *user, const struct preload_asked *asked);
};

struct launch;

int preload_run_open(struct preload_run *s, struct backend_run *run, struct sooth_error *err);
/* Starts the run before the command runs. Sets in `launch` what the command's environment needs. */
int preload_run_start(struct preload_run *s, struct launch *launch, struct sooth_error *err);
/* Returns whether the thread still waits: it gives up after a timeout. */
bool preload_asked_waits(struct preload_run *s, const struct preload_asked *asked);
/* Returns whether a program of the process has connected since `since_ns`. The program may have
 * ended. */
bool preload_run_has_met(struct preload_run *s, uint32_t pid, uint64_t since_ns);
/* Returns when the last program of the process connected; 0: not since `since_ns`. */
uint64_t preload_run_met_ns(struct preload_run *s, uint32_t pid, uint64_t since_ns);
/* Appends all records that were written before the call. */
void preload_run_drain(struct preload_run *s, struct buffer *out);
/* Stops the run: from here on no program records anything. Appends the last records. */
void preload_run_stop(struct preload_run *s, struct buffer *out);
/* Appends the remaining calls of children whose start has been reported in the meantime. */
void preload_run_drain_rest(struct preload_run *s, struct buffer *out);
void preload_run_close(struct preload_run *s);

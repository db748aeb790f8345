/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs that have sooth's library in them: each connects to a socket when it starts, gets
 * memory for its calls, and hangs up; its threads and forked children ask no more than that. Two
 * threads work here, beside the collector's: one answers, one reads, because the collector may be
 * in a slow write while programs fill their rings.
 *
 * Only the user of the command and root reach the socket, and only who has read its environment is
 * answered. A program's own claims are not believed: its process is the one that the kernel names.
 */
#ifndef SOOTH_OS_LINUX_PRELOAD_RUN_H
#define SOOTH_OS_LINUX_PRELOAD_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/map.h"
#include "collect/backend.h"
#include "os/linux/heap/preload_clock.h"
#include "os/linux/heap/preload_segment.h"

#define PRELOAD_PATH_BYTES 108 /* of a socket */

/* A thread that waits until its calls are probed. */
struct preload_asked {
	const struct preload_segment *segment; /* as long as it is one of the run's */
	struct process_id process;
	unsigned slot;
	uint32_t ask, around;
};

/* A process of which something was heard. */
struct preload_process {
	struct process_id id;
	int directory;		 /* /proc/PID */
	int exit;		 /* a pidfd */
	preload_program program; /* that it runs */
	bool is_filtered;	 /* by seccomp */
	bool is_forked;		 /* it has its parent's program, and a number of its own for it */
	bool is_nested;		 /* in a PID namespace of its own: its thread numbers are others */
	bool has_left;
	char name[PROCESS_NAME_SIZE];
};

/* Programs that do not load the library (preload_unseen.h). */
struct preload_unseen {
	struct map programs; /* device and inode -> bool: was reported */
	struct map
		waiting; /* struct process_id that was met without its library -> uint64_t, when */
	struct buffer paths; /* of the new ones, each with its NUL */
};

struct preload_run {
	const struct os *os;
	struct probe_options options;
	char folder[64], path[PRELOAD_PATH_BYTES];
	char token[PRELOAD_TOKEN_BYTES + 1];
	uid_t uid; /* of the command */
	int listening, stop, memory;
	int marker; /* inotify: programs that could not connect */
	int wake;   /* the thread that answers: something is asked */
	int filled; /* readable when a drain is worth it */
	struct preload_page *page;
	struct preload_clock clock;
	pthread_t answerer, reader;
	unsigned threads;
	atomic_bool is_stopping;
	pthread_mutex_t lock; /* of all that follows */
	struct process_id command;
	const struct launch *launch;
	struct buffer processes; /* struct preload_process */
	struct buffer segments;	 /* struct preload_segment * */
	struct buffer staged;	 /* records for the next drain */
	uint64_t look_ns;	 /* the last reading began then */
	uint64_t complete_ns;	 /* all records up to then are staged, or were drained */
	uint64_t drained_ns;	 /* and were drained */
	struct preload_missing missing, reported;
	uint64_t failed, reported_failed; /* processes without memory for it */
	uint64_t unseen_ns;		  /* the last look for such */
	bool has_ended;			  /* a process, since the collector was woken */
	uint64_t looked_ns;		  /* for threads that have ended */
	uint64_t connected;		  /* programs */
	struct map met;		  /* uint32_t, a PID -> uint64_t, when its program connected */
	struct map forked;	  /* uint32_t, a PID -> struct process_id, as the kernel says */
	uint64_t searched_ns;	  /* the last search for a forked child */
	uint64_t filters_ns;	  /* the last look for seccomp filters */
	uint64_t freed_ns;	  /* the last look for memory that no process has */
	struct buffer asked;	  /* struct preload_asked */
	bool is_coarse;		  /* a program has no clock */
	preload_program programs; /* given so far, forked ones too */
	struct preload_stacks *stacks; /* NULL: not requested */
	struct preload_unseen unseen;
	bool execs_are_known; /* each, so nothing is looked for */
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
/* Before the command runs; fills what it needs of that for its environment. */
int preload_run_start(struct preload_run *s, struct launch *launch, struct sooth_error *err);
/* Whether that thread still does: it may have waited for too long. */
bool preload_asked_waits(struct preload_run *s, const struct preload_asked *asked);
/* Whether a program of that process has connected since then, also if it has ended. */
bool preload_run_has_met(struct preload_run *s, uint32_t pid, uint64_t since_ns);
/* When its last program did, if that was since then; else 0. */
uint64_t preload_run_met_ns(struct preload_run *s, uint32_t pid, uint64_t since_ns);
/* Appends what came; what was written before the call is in it. */
void preload_run_drain(struct preload_run *s, struct buffer *out);
/* No program records any more from here on. Appends the last records. */
void preload_run_stop(struct preload_run *s, struct buffer *out);
/* Appends the rest of the calls of children whose start was reported since. */
void preload_run_drain_rest(struct preload_run *s, struct buffer *out);
void preload_run_close(struct preload_run *s);

#endif

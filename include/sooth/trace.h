/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls of a process, one by one, as they return:
 *
 *	struct sooth_trace *trace;
 *	const struct sooth_trace_event *e;
 *
 *	if (sooth_trace_track(pid, NULL, &trace, NULL))
 *		return 1;
 *	while (sooth_trace_next(trace, -1, &e, NULL) > 0)
 *		printf("%s(%s) = %s\n", e->call, e->arguments, e->result_text);
 *	sooth_trace_close(trace);
 *
 * Or counted, with errors and times, as `sooth trace -c` does:
 *
 *	struct sooth_table *calls = sooth_trace_count(pid, NULL, NULL);
 *
 * Threads, children and exec are followed. A call of the target takes some hundred nanoseconds
 * longer while it is traced; nothing is stopped.
 *
 * Privilege: root, or cap_bpf and cap_perfmon. Functions that return int give 0, or a negative
 * errno with `err` filled (it may be NULL), where nothing else is said. One thread at a time may
 * use a tracker; trackers of several threads do not disturb each other. In a child made by fork()
 * a tracker gives -EPERM, and closing it does nothing: its parent's goes on. The calling process
 * itself cannot be tracked.
 */
#ifndef SOOTH_TRACE_H
#define SOOTH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/table.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sooth_trace;
struct sooth_observer_options;

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_trace_options). Strings are
 * borrowed until the function returns. */
struct sooth_trace_options {
	size_t size;
	/* Which calls: "openat,close", "file,network", "%path", "!futex"; NULL: all. */
	const char *calls;
	bool only_failed;
	/* Show descriptors as numbers, and do not look up what they refer to. */
	bool is_plain;
	/* The target is paused while the ring is full, so that nothing is dropped; needs root. */
	bool must_hold;
	/* How many bytes of what a call reads or writes its arguments show. */
	uint32_t data_bytes;
	uint64_t buffer_bytes; /* of the ring between the kernel and the library */
	uint64_t duration_ns;  /* of sooth_trace_count(); 0: 5 s */
	/* A struct sooth_observer_options for the rest, NULL: defaults. */
	const struct sooth_observer_options *observer;
};

/*
 * A call that returned, or the end of a process. Texts are never NULL, and empty where there is
 * none; those of the target are quoted and escaped in `arguments`, and as they are elsewhere:
 * escape them before a terminal. Later versions may have more members: the library makes it.
 */
struct sooth_trace_event {
	const char *call;	 /* "openat"; "": the end of a process */
	const char *arguments;	 /* "AT_FDCWD, \"/etc/hosts\", O_RDONLY" */
	const char *result_text; /* "3</etc/hosts>", "-1"; of an end "exited with 1" */
	const char *path;	 /* path among the arguments, absolute if known */
	const char *fd_name;	 /* name of the file of `fd` */
	const char *thread, *process;
	uint64_t time_ns;     /* CLOCK_MONOTONIC: when it returned */
	uint64_t duration_ns; /* with is_timed */
	int64_t result;	      /* with has_returned */
	int64_t fd;	      /* descriptor used or returned; -1: none */
	pid_t pid, tid;	      /* in the initial pid namespace */
	int error;	      /* errno that it returned; 0: none */
	int wait_status;      /* of an end, as waitpid(2) gives it */
	bool has_returned, is_timed, is_end;
	const char
		*phase; /* of sooth_trace_mark(), there until the tracker is closed; NULL: none */
};

/* Attaches, in some ten ms, and blocks for that. *out is to be closed, and NULL on failure.
 * `options` may be NULL. -ESRCH: there is no such process, -EPERM: err->missing and err->remedy say
 * what to do, -EINVAL: `calls` names a call that does not exist. */
int sooth_trace_track(pid_t pid, const struct sooth_trace_options *options,
	struct sooth_trace **out, struct sooth_error *err);
int sooth_trace_track_multiple(const pid_t *pids, size_t count,
	const struct sooth_trace_options *options, struct sooth_trace **out,
	struct sooth_error *err);
/* A command, NULL at its end, searched for in PATH, from its exec on. It runs on when the tracker
 * is closed; its streams are the caller's, and so is its end: see sooth_trace_child_status(). */
int sooth_trace_track_command(char *const *command, const struct sooth_trace_options *options,
	struct sooth_trace **out, struct sooth_error *err);

/*
 * The next event, waiting for it up to timeout_ms (-1: until there is one, 0: not at all). 1: there
 * is one, borrowed with its texts until the next call with this tracker. 0: the time is over, or
 * with -1 every process has ended, see sooth_trace_is_over(). -EINTR: a signal came while it
 * waited.
 */
int sooth_trace_next(struct sooth_trace *trace, int timeout_ms,
	const struct sooth_trace_event **event, struct sooth_error *err);
/* As sooth_trace_next(), for all events that are there: how many; *events is an array of pointers
 * to them. */
ssize_t sooth_trace_batch(struct sooth_trace *trace, int timeout_ms,
	const struct sooth_trace_event *const **events, struct sooth_error *err);
/* Each event until `handler` returns other than 0, which is returned then, or every process has
 * ended: 0. */
typedef int (*sooth_trace_handler)(void *user, const struct sooth_trace_event *event);
int sooth_trace_each(struct sooth_trace *trace, sooth_trace_handler handler, void *user,
	struct sooth_error *err);
/* Every process has ended, and every event was given. */
bool sooth_trace_is_over(const struct sooth_trace *trace);
/* For a loop of one's own, as sooth_heap_fd(): call sooth_trace_next() with 0 when it is readable,
 * until it gives 0. -1: not on this system. */
int sooth_trace_fd(struct sooth_trace *trace);

/* `size` is sizeof(struct sooth_trace_stats), set by the caller. */
struct sooth_trace_stats {
	size_t size;
	uint64_t events;    /* given to the caller */
	uint64_t waiting;   /* received, but not given to the caller yet */
	uint64_t dropped;   /* calls that are not among the events */
	uint64_t pauses;    /* times the target was paused */
	uint64_t paused_ns; /* total time of these pauses */
	uint64_t event_ns; /* of the target's time that a call takes, as measured for this method on
			    * one machine; 0: not measured */
};

void sooth_trace_stats(const struct sooth_trace *trace, struct sooth_trace_stats *stats);
/* A phase of the target begins now: events from now on have its name. */
int sooth_trace_mark(struct sooth_trace *trace, const char *phase, struct sooth_error *err);
/* Calls from now on are no events, until sooth_trace_resume(); ends of processes are. The target
 * pays for them as before. */
int sooth_trace_pause(struct sooth_trace *trace, struct sooth_error *err);
int sooth_trace_resume(struct sooth_trace *trace, struct sooth_error *err);
/*
 * The calls that returned since the tracker was opened, also those whose events were not given yet.
 * A row for each: "name", "calls", "errors", "total_ns", most calls first. NULL: it failed, and
 * `err` says why.
 */
struct sooth_table *sooth_trace_snapshot(struct sooth_trace *trace, struct sooth_error *err);
/* The observer of the tracker, to share its kernel attachments with another tracker:
 * options->observer->share. All that share it are used by one thread at a time. It is the
 * tracker's. */
struct sooth_observer *sooth_trace_observer(struct sooth_trace *trace);
/* PID of the launched command, in the caller's pid namespace; 0: none was launched. */
pid_t sooth_trace_child_pid(const struct sooth_trace *trace);
/* As waitpid(2) gives it; -1: none was launched, or it runs. */
int sooth_trace_child_status(struct sooth_trace *trace);
/* Detaches, and takes the last events with it: they stay readable. The processes run on. */
int sooth_trace_stop(struct sooth_trace *trace, struct sooth_error *err);
/* sooth_trace_stop(), and everything that was borrowed is gone. NULL is fine. */
void sooth_trace_close(struct sooth_trace *trace);

/*
 * Counts the calls of a process and its children for options->duration_ns, and blocks for that. A
 * row for each call: "name", "count", "errors", "total_ns", "max_ns", "mean_ns" and
 * others, as in `sooth trace -c -j`. The kernel counts, so none is lost. Ends early when every
 * process has ended. NULL: it failed, and `err` says why.
 */
struct sooth_table *sooth_trace_count(
	pid_t pid, const struct sooth_trace_options *options, struct sooth_error *err);

#ifdef __cplusplus
}
#endif
#endif

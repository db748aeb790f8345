/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Observes the system calls of a process, one by one, as they return:
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
 * Or counts them, with errors and times, as `sooth trace -c` does:
 *
 *	struct sooth_table *calls = sooth_trace_count(pid, NULL, NULL);
 *
 * Threads, children and exec are followed. A call of the target takes some hundred nanoseconds
 * longer while it is traced; nothing is stopped.
 *
 * Privilege: root, or cap_bpf and cap_perfmon. Functions that return int return 0, or a negative
 * errno and fill `err` (which may be NULL), unless their comment says otherwise. One thread at a
 * time may use a tracker; trackers of several threads do not disturb each other. After fork() only
 * the parent can use the tracker: in the child its functions return -EPERM, and closing it does
 * nothing. The calling process itself cannot be tracked.
 */
#ifndef SOOTH_TRACE_H
#define SOOTH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/probe_options.h>
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
	struct sooth_calls_options calls;
	/* Show descriptors as numbers, and do not look up what they refer to. */
	bool is_plain;
	uint64_t buffer_bytes; /* size of the ring between the kernel and the library */
	uint64_t duration_ns;  /* duration of sooth_trace_count(); 0: 5 s */
	/* Further options, of which `calls` is not used; NULL: defaults. */
	const struct sooth_observer_options *observer;
};

/*
 * A call that returned, or the end of a process. Texts are never NULL; a text without content is
 * empty. Texts of the target are quoted and escaped in `arguments`, but raw in all other members:
 * escape them before a terminal. Only the library creates events: later versions may have more
 * members.
 */
struct sooth_trace_event {
	const char *call;	 /* "openat"; "": the end of a process */
	const char *arguments;	 /* "AT_FDCWD, \"/etc/hosts\", O_RDONLY" */
	const char *result_text; /* "3</etc/hosts>", "-1"; of an end "exited with 1" */
	const char *path;	 /* path among the arguments, absolute if known */
	const char *fd_name;	 /* name of the file of `fd` */
	const char *thread, *process;
	uint64_t time_ns;     /* CLOCK_MONOTONIC: when the call returned */
	uint64_t duration_ns; /* with is_timed */
	int64_t result;	      /* with has_returned */
	int64_t fd;	      /* descriptor used or returned; -1: none */
	pid_t pid, tid;	      /* in the pid namespace of sooth */
	int error;	      /* errno of the call; 0: none */
	int wait_status;      /* at the end of a process: as from waitpid(2) */
	bool has_returned, is_timed, is_end;
	const char *phase; /* from sooth_trace_mark(), valid until close; NULL: none */
};

/* Attaches to a process, and blocks for that: some 10 ms. The caller closes *out, which is NULL on
 * failure. `options` may be NULL. -ESRCH: there is no such process, -EPERM: err->missing and
 * err->remedy say what to do, -EINVAL: the set names a call that does not exist. */
int sooth_trace_track(pid_t pid, const struct sooth_trace_options *options,
	struct sooth_trace **out, struct sooth_error *err);
int sooth_trace_track_multiple(const pid_t *pids, size_t count,
	const struct sooth_trace_options *options, struct sooth_trace **out,
	struct sooth_error *err);
/* Launches a command, found in PATH, and tracks it from its exec on. `command` ends with NULL. The
 * command inherits the caller's streams, and runs on when the tracker is closed.
 * sooth_trace_child_status() returns its wait status. */
int sooth_trace_track_command(char *const *command, const struct sooth_trace_options *options,
	struct sooth_trace **out, struct sooth_error *err);

/*
 * Returns the next event in *event, after waiting for up to timeout_ms (-1: without limit, 0: not
 * at all). 1: *event is set, and borrowed with its texts until the next call with this tracker. 0:
 * the time is over, or with -1 every process has ended, see sooth_trace_is_over(). -EINTR: a signal
 * interrupted the wait.
 */
int sooth_trace_next(struct sooth_trace *trace, int timeout_ms,
	const struct sooth_trace_event **event, struct sooth_error *err);
/* Works like sooth_trace_next(), but returns all available events: their number, and in *events an
 * array of pointers to them. */
ssize_t sooth_trace_batch(struct sooth_trace *trace, int timeout_ms,
	const struct sooth_trace_event *const **events, struct sooth_error *err);
/* Calls `handler` with each event until it returns a value other than 0, which this function then
 * returns, or until every process has ended: 0. */
typedef int (*sooth_trace_handler)(void *user, const struct sooth_trace_event *event);
int sooth_trace_each(struct sooth_trace *trace, sooth_trace_handler handler, void *user,
	struct sooth_error *err);
/* Returns whether every process has ended and the caller has received every event. */
bool sooth_trace_is_over(const struct sooth_trace *trace);
/* Returns a descriptor to poll in a loop of the caller, as sooth_heap_fd() does. When it is
 * readable, call sooth_trace_next() with a timeout of 0 until that returns 0. -1: not available on
 * this system. */
int sooth_trace_fd(struct sooth_trace *trace);

/* `size` is sizeof(struct sooth_trace_stats), set by the caller. */
struct sooth_trace_stats {
	size_t size;
	uint64_t events;    /* given to the caller */
	uint64_t waiting;   /* received, but not given to the caller yet */
	uint64_t dropped;   /* calls that are not among the events */
	uint64_t pauses;    /* times the target was paused */
	uint64_t paused_ns; /* total time of these pauses */
	uint64_t event_ns; /* time that tracing a call costs the target, as measured for this method
			      on one machine; 0: not measured */
};

void sooth_trace_stats(const struct sooth_trace *trace, struct sooth_trace_stats *stats);
/* Begins a phase of the target: events from now on have its name. */
int sooth_trace_mark(struct sooth_trace *trace, const char *phase, struct sooth_error *err);
/* Suppresses the events of calls until sooth_trace_resume(); ends of processes are still events.
 * The calls cost the target as much as before. */
int sooth_trace_pause(struct sooth_trace *trace, struct sooth_error *err);
int sooth_trace_resume(struct sooth_trace *trace, struct sooth_error *err);
/*
 * Returns the counts of the calls that returned since the tracker was opened. Events that the
 * caller has not received yet are included. The table has a row for each call, most calls first:
 * "name", "calls", "errors", "total_ns". Returns NULL on failure; `err` says why.
 */
struct sooth_table *sooth_trace_snapshot(struct sooth_trace *trace, struct sooth_error *err);
/* Returns the observer of the tracker, which another tracker can share: see
 * sooth_heap_observer(). */
struct sooth_observer *sooth_trace_observer(struct sooth_trace *trace);
/* Returns the PID of the launched command, in the caller's pid namespace; 0: none was launched. */
pid_t sooth_trace_child_pid(const struct sooth_trace *trace);
/* Returns the wait status of the command, as from waitpid(2); -1: none was launched, or it still
 * runs. */
int sooth_trace_child_status(struct sooth_trace *trace);
/* Detaches. The last events stay readable. The processes run on. */
int sooth_trace_stop(struct sooth_trace *trace, struct sooth_error *err);
/* Stops as sooth_trace_stop() does, and frees the tracker with all that was borrowed from it.
 * `trace` may be NULL. */
void sooth_trace_close(struct sooth_trace *trace);

/*
 * Counts the calls of a process and its children for options->duration_ns, and blocks for that
 * time. The table has a row for each call: "name", "count", "errors", "total_ns", "max_ns",
 * "mean_ns" and others, as in `sooth trace -c -j`. The kernel counts, so no call is lost. Ends
 * early when every process has ended. Returns NULL on failure; `err` says why.
 */
struct sooth_table *sooth_trace_count(
	pid_t pid, const struct sooth_trace_options *options, struct sooth_error *err);

#ifdef __cplusplus
}
#endif
#endif

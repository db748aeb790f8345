/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of a process to its allocator, one by one, as they happen:
 *
 *	struct sooth_heap *heap;
 *	const struct sooth_heap_event *e;
 *
 *	if (sooth_heap_track(pid, NULL, &heap, NULL))
 *		return 1;
 *	while (sooth_heap_next(heap, -1, &e, NULL) > 0)
 *		printf("%s of %llu bytes\n", e->function, (unsigned long long)e->size);
 *	sooth_heap_close(heap);
 *
 * The tracker finds libc's allocator and others (jemalloc, mimalloc, tcmalloc; also static ones) in
 * the process. It follows children and exec. A call of the target takes some microseconds longer
 * while the target is tracked.
 *
 * Privilege: root, or cap_bpf and cap_perfmon with Linux 6.6 or later. Functions that return int
 * return 0, or a negative errno and fill `err` (which may be NULL), unless their comment says
 * otherwise. One thread at a time may use a tracker; trackers of several threads do not disturb
 * each other. After fork() only the parent can use the tracker: in the child its functions return
 * -EPERM, and closing it does nothing. The calling process itself cannot be tracked.
 */
#ifndef SOOTH_HEAP_H
#define SOOTH_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/frame.h>
#include <sooth/probe_options.h>
#include <sooth/table.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sooth_heap;
struct sooth_observer_options;

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_heap_tracker_options). */
struct sooth_heap_tracker_options {
	size_t size;
	/* Size of the ring between the kernel and the library; 0: as `sooth heap`. While the ring
	 * is full, calls are dropped, and counted. */
	uint64_t buffer_bytes;
	struct sooth_heap_options heap;
	/* Keep a list of the live blocks for sooth_heap_snapshot(): some 60 bytes a block. */
	bool keeps_blocks;
	/* Further options, of which `heap` is not used; NULL: defaults. */
	const struct sooth_observer_options *observer;
};

/* Only the library creates events: later versions may have more members. */
struct sooth_heap_event {
	const char *function; /* "malloc", "free", "calloc", "realloc", "posix_memalign", ... */
	uint64_t time_ns; /* CLOCK_MONOTONIC: when the call returned; free: when it was called */
	uint64_t duration_ns; /* free: 0 */
	uint64_t address;     /* returned address, 0: the call failed; free: its argument */
	uint64_t old_address; /* realloc's argument */
	uint64_t size;	      /* bytes requested; free: 0 */
	pid_t pid, tid;	      /* in the pid namespace of sooth */
	int error;	      /* errno of the call; 0: none */
	bool is_overflow;     /* calloc: number * size overflowed; `size` is UINT64_MAX */
	uint32_t stack;	      /* for sooth_heap_frames(); 0: unknown, or not requested */
	const char *phase;    /* from sooth_heap_mark(), valid until close; NULL: none */
};

/* Attaches to a process, and blocks for that: some 10 to 100 ms. The caller closes *out, which is
 * NULL on failure. `options` may be NULL. -ESRCH: there is no such process, -EPERM: err->missing
 * and err->remedy say what to do. */
int sooth_heap_track(pid_t pid, const struct sooth_heap_tracker_options *options,
	struct sooth_heap **out, struct sooth_error *err);
/* Attaches to several processes with one tracker. */
int sooth_heap_track_multiple(const pid_t *pids, size_t count,
	const struct sooth_heap_tracker_options *options, struct sooth_heap **out,
	struct sooth_error *err);
/* Launches a command, found in PATH, and tracks it from its first call on. `command` ends with
 * NULL. The command inherits the caller's streams, and runs on when the tracker is closed.
 * sooth_heap_child_status() returns its wait status. */
int sooth_heap_track_command(char *const *command, const struct sooth_heap_tracker_options *options,
	struct sooth_heap **out, struct sooth_error *err);

/*
 * Returns the next event in *event, after waiting for up to timeout_ms (-1: without limit, 0: not
 * at all). 1: *event is set, and borrowed until the next call with this tracker. 0: the time is
 * over, or with -1 every process has ended, see sooth_heap_is_over(). -EINTR: a signal interrupted
 * the wait.
 */
int sooth_heap_next(struct sooth_heap *heap, int timeout_ms, const struct sooth_heap_event **event,
	struct sooth_error *err);
/* Works like sooth_heap_next(), but returns all available events: their number, and in *events an
 * array of pointers to them. */
ssize_t sooth_heap_batch(struct sooth_heap *heap, int timeout_ms,
	const struct sooth_heap_event *const **events, struct sooth_error *err);
/* Calls `handler` with each event until it returns a value other than 0, which this function then
 * returns, or until every process has ended: 0. Signals do not end this function. */
typedef int (*sooth_heap_handler)(void *user, const struct sooth_heap_event *event);
int sooth_heap_each(
	struct sooth_heap *heap, sooth_heap_handler handler, void *user, struct sooth_error *err);
/* Returns whether every process has ended and the caller has received every event. */
bool sooth_heap_is_over(const struct sooth_heap *heap);

/*
 * Returns a descriptor to poll in a loop of the caller. It is readable when there may be events,
 * and some ten times a second while processes run. Then call sooth_heap_next() or
 * sooth_heap_batch() with a timeout of 0 until they return 0. Do not read or close the descriptor.
 * -1: not available on this system.
 */
int sooth_heap_fd(struct sooth_heap *heap);

/* The caller sets `size` to sizeof(struct sooth_heap_stats) before each call; 0: nothing is
 * filled. */
struct sooth_heap_stats {
	size_t size;
	uint64_t events;    /* given to the caller */
	uint64_t waiting;   /* received, but not given to the caller yet */
	uint64_t dropped;   /* calls that are not among the events */
	uint64_t pauses;    /* times the command was paused */
	uint64_t paused_ns; /* total time of these pauses */
	uint64_t event_ns;  /* time that an event costs the target, as measured for this method on
			       one machine; 0: not measured */
};

void sooth_heap_stats(const struct sooth_heap *heap, struct sooth_heap_stats *stats);
/*
 * Begins a phase of the target: events from now on have its name, and so do their rows of a
 * snapshot. At most 255 bytes of the name are kept. -EINVAL: `phase` is empty or NULL, or the
 * tracker does not run.
 */
int sooth_heap_mark(struct sooth_heap *heap, const char *phase, struct sooth_error *err);
/* Suppresses the events of calls until sooth_heap_resume(). The calls cost the target as much as
 * before. A block that is freed in the meantime stays in snapshots. */
int sooth_heap_pause(struct sooth_heap *heap, struct sooth_error *err);
int sooth_heap_resume(struct sooth_heap *heap, struct sooth_error *err);
/*
 * Returns the blocks that were allocated since the tracker was opened and are live now; needs
 * keeps_blocks. Events that the caller has not received yet are included. The table has a row for
 * each function and phase, most bytes first: "function", "phase", "blocks", "bytes", "oldest_ns"
 * (when the oldest block was allocated). After the end of the target it has the blocks that the
 * last process did not free. Returns NULL on failure; `err` says why.
 */
struct sooth_table *sooth_heap_snapshot(struct sooth_heap *heap, struct sooth_error *err);
/* Sets *frames to the frames of an event's stack, innermost first, valid until the tracker is
 * closed. Returns their number; 0: not known, as without the option for stacks. Call it after
 * sooth_heap_stop(), which finds the names. */
size_t sooth_heap_frames(
	struct sooth_heap *heap, uint32_t stack, const struct sooth_frame **frames);

/* Returns the observer of the tracker. Set as options->observer->share of another tracker, it
 * shares its kernel attachments with that tracker. Only one thread at a time may use trackers that
 * share. Do not free the observer. */
struct sooth_observer *sooth_heap_observer(struct sooth_heap *heap);
/* Returns the PID of the launched command, in the caller's pid namespace; 0: none was launched. */
pid_t sooth_heap_child_pid(const struct sooth_heap *heap);
/* Returns the wait status of the launched command, as from waitpid(2). -1: none was launched, it
 * still runs, or the caller's program reaped it (by its own wait, or by ignoring SIGCHLD). */
int sooth_heap_child_status(struct sooth_heap *heap);
/* Detaches. The last events stay readable with sooth_heap_next(). The processes run on. */
int sooth_heap_stop(struct sooth_heap *heap, struct sooth_error *err);
/* Stops as sooth_heap_stop() does, and frees the tracker with all that was borrowed from it. `heap`
 * may be NULL. */
void sooth_heap_close(struct sooth_heap *heap);

#ifdef __cplusplus
}
#endif
#endif

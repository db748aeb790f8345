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
 * Libc's allocator and others (jemalloc, mimalloc, tcmalloc; also static ones) are found in the
 * process. Children and exec are followed. A call of the target takes some microseconds
 * longer while it is tracked.
 *
 * Privilege: root, or cap_bpf and cap_perfmon with Linux 6.6 or later. Functions that return int
 * give 0, or a negative errno with `err` filled (it may be NULL), where nothing else is said. One
 * thread at a time may use a tracker; trackers of several threads do not disturb each other. In a
 * child made by fork() a tracker gives -EPERM, and closing it does nothing: its parent's goes on.
 * The calling process itself cannot be tracked.
 */
#ifndef SOOTH_HEAP_H
#define SOOTH_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/frame.h>
#include <sooth/table.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sooth_heap;
struct sooth_observer_options;

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_heap_options). */
struct sooth_heap_options {
	size_t size;
	/* Size of the ring between the kernel and the library; 0: as `sooth heap`. When it is full
	 * calls are dropped, and counted. */
	uint64_t buffer_bytes;
	/* A launched command is paused for moments rather than that calls are dropped; what is
	 * dropped nevertheless is counted. A ring below 256 KiB fills faster than that. */
	bool may_pause;
	/* Events have the stack of the call: see sooth_heap_frames(). A call takes some
	 * microseconds longer. */
	bool has_stacks;
	/* Keep what is allocated and not freed, for sooth_heap_snapshot(): some 60 bytes a block.
	 */
	bool keeps_blocks;
	/* A struct sooth_observer_options for the rest, NULL: defaults. */
	const struct sooth_observer_options *observer;
};

/* Later versions may have more members: the library makes it. */
struct sooth_heap_event {
	const char *function; /* "malloc", "free", "calloc", "realloc", "posix_memalign", ... */
	uint64_t time_ns;     /* CLOCK_MONOTONIC: when it returned; free: when it was called */
	uint64_t duration_ns; /* free: 0 */
	uint64_t address;     /* returned address, 0: the call failed; free: its argument */
	uint64_t old_address; /* realloc's argument */
	uint64_t size;	      /* bytes requested; free: 0 */
	pid_t pid, tid;	      /* in the initial pid namespace */
	int error;	      /* errno that it returned; 0: none */
	bool is_overflow;     /* calloc: number times size overflowed; `size` is UINT64_MAX */
	uint32_t stack;	      /* for sooth_heap_frames(); 0: unknown, or not requested */
	const char *phase; /* of sooth_heap_mark(), there until the tracker is closed; NULL: none */
};

/* Attaches, in some ten to hundred ms, and blocks for that. *out is to be closed, and NULL on
 * failure. `options` may be NULL. -ESRCH: there is no such process, -EPERM: err->missing and
 * err->remedy say what to do. */
int sooth_heap_track(pid_t pid, const struct sooth_heap_options *options, struct sooth_heap **out,
	struct sooth_error *err);
/* Several processes with one tracker. */
int sooth_heap_track_multiple(const pid_t *pids, size_t count,
	const struct sooth_heap_options *options, struct sooth_heap **out, struct sooth_error *err);
/* A command, NULL at its end, searched for in PATH, from its first call on. It runs on when the
 * tracker is closed; its streams are the caller's, and so is its end: see
 * sooth_heap_child_status(). */
int sooth_heap_track_command(char *const *command, const struct sooth_heap_options *options,
	struct sooth_heap **out, struct sooth_error *err);

/*
 * The next event, waiting for it up to timeout_ms (-1: until there is one, 0: not at all). 1: there
 * is one, borrowed until the next call with this tracker. 0: the time is over, or with -1 every
 * process has ended, see sooth_heap_is_over(). -EINTR: a signal came while it waited.
 */
int sooth_heap_next(struct sooth_heap *heap, int timeout_ms, const struct sooth_heap_event **event,
	struct sooth_error *err);
/* As sooth_heap_next(), for all events that are there: how many; *events is an array of pointers to
 * them. */
ssize_t sooth_heap_batch(struct sooth_heap *heap, int timeout_ms,
	const struct sooth_heap_event *const **events, struct sooth_error *err);
/* Each event until `handler` returns other than 0, which is returned then, or every process has
 * ended: 0. Signals do not end it: the handler's caller decides. */
typedef int (*sooth_heap_handler)(void *user, const struct sooth_heap_event *event);
int sooth_heap_each(
	struct sooth_heap *heap, sooth_heap_handler handler, void *user, struct sooth_error *err);
/* Every process has ended, and every event was given. */
bool sooth_heap_is_over(const struct sooth_heap *heap);

/*
 * For a loop of one's own: readable when there may be events, and some ten times a second while
 * processes run. Call sooth_heap_next() or sooth_heap_batch() with 0 then until it gives 0. It is
 * the tracker's: not to be read or closed. -1: not on this system.
 */
int sooth_heap_fd(struct sooth_heap *heap);

/* `size` is sizeof(struct sooth_heap_stats), set by the caller before each call; 0: nothing is
 * filled. */
struct sooth_heap_stats {
	size_t size;
	uint64_t events;    /* given to the caller */
	uint64_t waiting;   /* received, but not given to the caller yet */
	uint64_t dropped;   /* calls that are not among the events */
	uint64_t pauses;    /* times the command was paused */
	uint64_t paused_ns; /* total time of these pauses */
	uint64_t event_ns;  /* of the target's time that an event takes, as measured for this method
			     * on  one machine; 0: not measured */
};

void sooth_heap_stats(const struct sooth_heap *heap, struct sooth_heap_stats *stats);
/*
 * A phase of the target begins now: events from now on have its name, and rows of a snapshot. At
 * most 255 bytes of it are kept. -EINVAL: it is empty or NULL, or the tracker does not run.
 */
int sooth_heap_mark(struct sooth_heap *heap, const char *phase, struct sooth_error *err);
/* Calls from now on are no events, until sooth_heap_resume(). The target pays for them as before. A
 * block that is freed meanwhile stays in snapshots. */
int sooth_heap_pause(struct sooth_heap *heap, struct sooth_error *err);
int sooth_heap_resume(struct sooth_heap *heap, struct sooth_error *err);
/*
 * With keeps_blocks: what is live now of all that was allocated since the tracker was opened, also
 * of events that were not given yet. A row for each function and phase: "function", "phase",
 * "blocks", "bytes", "oldest_ns" (when the oldest was allocated), most bytes first. After the end
 * of the target: what the process that ended last did not free. NULL: it failed, and `err` says
 * why.
 */
struct sooth_table *sooth_heap_snapshot(struct sooth_heap *heap, struct sooth_error *err);
/* With has_stacks, after sooth_heap_stop(), which finds the names: the frames of an event's stack,
 * innermost first, there until the tracker is closed. How many; 0: not known. */
size_t sooth_heap_frames(
	struct sooth_heap *heap, uint32_t stack, const struct sooth_frame **frames);

/* The observer of the tracker, to share its kernel attachments with another tracker:
 * options->observer->share. All that share it are used by one thread at a time. It is the
 * tracker's. */
struct sooth_observer *sooth_heap_observer(struct sooth_heap *heap);
/* PID of the launched command, in the caller's pid namespace; 0: none was launched. */
pid_t sooth_heap_child_pid(const struct sooth_heap *heap);
/* As waitpid(2) gives it; -1: none was launched, it runs, or the caller's program took its status
 * (a wait of its own, SIGCHLD that is ignored). */
int sooth_heap_child_status(struct sooth_heap *heap);
/* Detaches, and takes the last events with it: they stay readable with sooth_heap_next(). The
 * processes run on. */
int sooth_heap_stop(struct sooth_heap *heap, struct sooth_error *err);
/* sooth_heap_stop(), and everything that was borrowed is gone. NULL is fine. */
void sooth_heap_close(struct sooth_heap *heap);

#ifdef __cplusplus
}
#endif
#endif

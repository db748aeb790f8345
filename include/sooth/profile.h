/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds which functions of a process use the CPU, by sampling stacks at a fixed rate:
 *
 *	struct sooth_table *functions = sooth_profile(pid, NULL, NULL);
 *
 *	for (const struct sooth_row *f = NULL; (f = sooth_table_next(functions, f));)
 *		printf("%s %s\n", sooth_row_text(f, "self_percent"), sooth_row_text(f, "function"));
 *	sooth_table_free(functions);
 *
 * Or returns the samples themselves, each with its stack:
 *
 *	struct sooth_profiler *profiler;
 *	const struct sooth_sample *sample;
 *
 *	if (sooth_profiler_start(pid, NULL, &profiler, NULL))
 *		return 1;
 *	do_something_for_a_while();
 *	sooth_profiler_stop(profiler, NULL);
 *	while (sooth_profiler_next(profiler, &sample))
 *		printf("%s\n", sample->frame_count ? sample->frames[0].function : "?");
 *	sooth_profiler_close(profiler);
 *
 * Threads, children and exec are followed; user and kernel code is sampled; frames of Python and
 * JavaScript have names if `sooth profile` shows them. Nothing is stopped or injected.
 *
 * Privilege: none for the caller's own processes, as far as kernel.perf_event_paranoid allows it;
 * root, or cap_bpf and cap_perfmon, for processes of other users and for kernel code. Functions
 * that return int return 0, or a negative errno and fill `err` (which may be NULL), unless their
 * comment says otherwise. One thread at a time may use a profiler. After fork() only the parent can
 * use it: in the child its functions return -EPERM, and closing it does nothing.
 */
#ifndef SOOTH_PROFILE_H
#define SOOTH_PROFILE_H

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

struct sooth_profiler;
struct sooth_observer_options;

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_profiler_options). */
struct sooth_profiler_options {
	size_t size;
	uint64_t duration_ns; /* duration of sooth_profile(); 0: 5 s */
	/* Source lines take up to some seconds in sooth_profiler_stop(). */
	struct sooth_profile_options profile;
	/* Further options, of which `profile` is not used; NULL: defaults. */
	const struct sooth_observer_options *observer;
};

/*
 * Returns a table with a row for each function and role of threads, most `self_samples` first:
 * "self_percent", "total_percent", "self_samples", "total_samples", "role", "function", "file". An
 * empty table: no thread used the CPU. Returns NULL on failure; `err` says why. Blocks for the
 * duration, or until every process has ended. `options` may be NULL.
 */
struct sooth_table *sooth_profile(
	pid_t pid, const struct sooth_profiler_options *options, struct sooth_error *err);

/* --- samples --- */

/* Only the library creates samples: later versions may have more members. */
struct sooth_sample {
	uint64_t time_ns;    /* CLOCK_MONOTONIC */
	uint64_t cpu_ns;     /* CPU time that the sample stands for */
	const char *process; /* names come from the target: escape them before a terminal */
	const char *thread;
	const struct sooth_frame *frames; /* innermost first */
	size_t frame_count;
	pid_t pid, tid;	   /* in the pid namespace of sooth */
	bool is_whole;	   /* the stack reaches the entry of the thread */
	const char *phase; /* from sooth_profiler_mark(), valid until close; NULL: none */
};

/* Attaches to a process, and blocks for that. The caller closes *out, which is NULL on failure.
 * -ESRCH: there is no such process; -EPERM, -EACCES: the caller may not sample it, err->remedy says
 * what to do. The ring has room for the samples of some seconds: call sooth_profiler_run() more
 * often. The profiler keeps all samples that it has read, at 72 bytes each. */
int sooth_profiler_start(pid_t pid, const struct sooth_profiler_options *options,
	struct sooth_profiler **out, struct sooth_error *err);
int sooth_profiler_start_multiple(const pid_t *pids, size_t count,
	const struct sooth_profiler_options *options, struct sooth_profiler **out,
	struct sooth_error *err);
/* Launches a command, and samples it from its exec on. `command` ends with NULL. */
int sooth_profiler_start_command(char *const *command, const struct sooth_profiler_options *options,
	struct sooth_profiler **out, struct sooth_error *err);
/* Takes samples for timeout_ms (-1: until every process has ended). 1: go on; 0: every process has
 * ended; -EINTR: a signal came. */
int sooth_profiler_run(struct sooth_profiler *profiler, int timeout_ms, struct sooth_error *err);
/* Returns a descriptor to poll in a loop of the caller. When it is readable, call
 * sooth_profiler_run() with a timeout of 0. Do not read or close it. -1: not available on this
 * system. */
int sooth_profiler_fd(struct sooth_profiler *profiler);
/* Detaches, and finds the names of frames, which blocks. The processes run on. */
int sooth_profiler_stop(struct sooth_profiler *profiler, struct sooth_error *err);
/* Returns the next sample in order of time; false: no more. Call it after sooth_profiler_stop().
 * *sample is borrowed until the next call with this profiler, its frames until the profiler is
 * closed. */
bool sooth_profiler_next(struct sooth_profiler *profiler, const struct sooth_sample **sample);
/* Returns the rows that sooth_profile() returns. Call it after sooth_profiler_stop(). NULL: memory
 * ran out. */
struct sooth_table *sooth_profiler_functions(
	struct sooth_profiler *profiler, struct sooth_error *err);

/* `size` is sizeof(struct sooth_profile_stats), set by the caller. */
struct sooth_profile_stats {
	size_t size;
	uint64_t samples; /* taken so far */
	uint64_t dropped; /* samples lost, not in `samples` */
	/* Time that a sample costs the target, as measured for this method on one machine; 0: not
	 * measured. */
	uint64_t sample_ns;
};

void sooth_profiler_stats(const struct sooth_profiler *profiler, struct sooth_profile_stats *stats);
/* Begins a phase of the target: samples from now on have its name. The profiler has to run. */
int sooth_profiler_mark(
	struct sooth_profiler *profiler, const char *phase, struct sooth_error *err);
/* Suppresses samples until sooth_profiler_resume(). */
int sooth_profiler_pause(struct sooth_profiler *profiler, struct sooth_error *err);
int sooth_profiler_resume(struct sooth_profiler *profiler, struct sooth_error *err);
/* Returns the observer of the profiler: see sooth_heap_observer(). */
struct sooth_observer *sooth_profiler_observer(struct sooth_profiler *profiler);
/* Work like sooth_heap_child_pid() and sooth_heap_child_status(). */
pid_t sooth_profiler_child_pid(const struct sooth_profiler *profiler);
int sooth_profiler_child_status(struct sooth_profiler *profiler);
/* Detaches if that was not done, and frees the profiler. `profiler` may be NULL. */
void sooth_profiler_close(struct sooth_profiler *profiler);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which functions of a process use the CPU, by stacks sampled at a fixed rate:
 *
 *	struct sooth_table *functions = sooth_profile(pid, NULL, NULL);
 *
 *	for (const struct sooth_row *f = NULL; (f = sooth_table_next(functions, f));)
 *		printf("%s %s\n", sooth_row_text(f, "self_percent"), sooth_row_text(f, "function"));
 *	sooth_table_free(functions);
 *
 * Or the samples themselves, each with its stack:
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
 * JavaScript have names where `sooth profile` has them. Nothing is stopped or injected.
 *
 * Privilege: none for the caller's own processes, as far as kernel.perf_event_paranoid allows it;
 * root, or cap_bpf and cap_perfmon, for those of others and for kernel code. Functions that return
 * int give 0, or a negative errno with `err` filled (it may be NULL), where nothing else is said.
 * One thread at a time may use a profiler. In a child made by fork() it gives -EPERM, and closing
 * it does nothing.
 */
#ifndef SOOTH_PROFILE_H
#define SOOTH_PROFILE_H

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

struct sooth_profiler;
struct sooth_observer_options;

/* Zeroed fields mean the default; `size` is sizeof(struct sooth_profile_options). */
struct sooth_profile_options {
	size_t size;
	uint64_t duration_ns; /* of sooth_profile(); 0: 5 s */
	uint32_t hz;	      /* samples a second of each CPU, at most 10,000; 0: 99 */
	/* Frames get the line of their source, and inlined functions, where there is debug
	 * information; reading it takes up to some seconds when it stops. */
	bool has_lines;
	/* A struct sooth_observer_options for the rest, NULL: defaults. */
	const struct sooth_observer_options *observer;
};

/*
 * A row for each function and role of threads, most samples of its own first: "self_percent",
 * "total_percent", "self_samples", "total_samples", "role", "function", "file". An empty table: no
 * thread used the CPU. NULL: it failed, and `err` says why. Blocks for the duration, or until every
 * process has ended. `options` may be NULL.
 */
struct sooth_table *sooth_profile(
	pid_t pid, const struct sooth_profile_options *options, struct sooth_error *err);

/* --- samples --- */

/* Later versions may have more members: the library makes it. */
struct sooth_sample {
	uint64_t time_ns;    /* CLOCK_MONOTONIC */
	uint64_t cpu_ns;     /* CPU time that the sample stands for */
	const char *process; /* names, of the target: escape them before a terminal */
	const char *thread;
	const struct sooth_frame *frames; /* innermost first */
	size_t frame_count;
	pid_t pid, tid;	   /* in the initial pid namespace */
	bool is_whole;	   /* the stack reaches the entry of the thread */
	const char *phase; /* of sooth_profiler_mark(), there until the profiler is closed; NULL:
			      none */
};

/* Attaches, and blocks for that. *out is to be closed, and NULL on failure. -ESRCH: there is no
 * such process; -EPERM, -EACCES: it may not be sampled, err->remedy says what to do. Samples are
 * taken and kept, 72 bytes each, while the profiler runs, and its ring has room for some seconds of
 * them: call sooth_profiler_run() in between. */
int sooth_profiler_start(pid_t pid, const struct sooth_profile_options *options,
	struct sooth_profiler **out, struct sooth_error *err);
int sooth_profiler_start_multiple(const pid_t *pids, size_t count,
	const struct sooth_profile_options *options, struct sooth_profiler **out,
	struct sooth_error *err);
/* A command, NULL at its end, from its exec on. */
int sooth_profiler_start_command(char *const *command, const struct sooth_profile_options *options,
	struct sooth_profiler **out, struct sooth_error *err);
/* Takes samples for timeout_ms (-1: until every process has ended). 1: go on; 0: every process has
 * ended; -EINTR: a signal came. */
int sooth_profiler_run(struct sooth_profiler *profiler, int timeout_ms, struct sooth_error *err);
/* For a loop of one's own: call sooth_profiler_run() with 0 when it is readable. It is the
 * profiler's: not to be read or closed. -1: not on this system. */
int sooth_profiler_fd(struct sooth_profiler *profiler);
/* Detaches, and finds the names of frames; it blocks for that. The processes run on. */
int sooth_profiler_stop(struct sooth_profiler *profiler, struct sooth_error *err);
/* After sooth_profiler_stop(): the next sample in order of time, borrowed until the next call with
 * this profiler, its frames until it is closed. false: there is no more. */
bool sooth_profiler_next(struct sooth_profiler *profiler, const struct sooth_sample **sample);
/* The rows that sooth_profile() has; it has to be stopped before. NULL: memory ran out. */
struct sooth_table *sooth_profiler_functions(
	struct sooth_profiler *profiler, struct sooth_error *err);

/* `size` is sizeof(struct sooth_profile_stats), set by the caller. */
struct sooth_profile_stats {
	size_t size;
	uint64_t samples; /* taken so far */
	uint64_t dropped; /* samples lost, not in `samples` */
	/* Time of the target that a sample takes, as measured for this method on one machine; 0:
	 * not measured. */
	uint64_t sample_ns;
};

void sooth_profiler_stats(const struct sooth_profiler *profiler, struct sooth_profile_stats *stats);
/* While it runs: a phase of the target begins, samples from now on have its name. */
int sooth_profiler_mark(
	struct sooth_profiler *profiler, const char *phase, struct sooth_error *err);
/* No samples from now on, until sooth_profiler_resume(). */
int sooth_profiler_pause(struct sooth_profiler *profiler, struct sooth_error *err);
int sooth_profiler_resume(struct sooth_profiler *profiler, struct sooth_error *err);
/* As sooth_heap_observer(). */
struct sooth_observer *sooth_profiler_observer(struct sooth_profiler *profiler);
/* As sooth_heap_child_pid() and sooth_heap_child_status(). */
pid_t sooth_profiler_child_pid(const struct sooth_profiler *profiler);
int sooth_profiler_child_status(struct sooth_profiler *profiler);
/* NULL is fine. */
void sooth_profiler_close(struct sooth_profiler *profiler);

#ifdef __cplusplus
}
#endif
#endif

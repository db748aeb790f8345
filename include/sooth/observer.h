/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collecting half. An observer has a target and probes; while the observer runs, it makes
 * blocks of records for its consumers: a live report (<sooth/report.h>), a capture file, or both.
 *
 *   sooth_observer_new(&o, NULL, &err);
 *   sooth_observer_add_pid(o, pid, &err);
 *   sooth_observer_add_probe(o, "syscalls", SOOTH_COUNT, &err);
 *   sooth_observer_connect_report(o, report, &err);
 *   sooth_observer_start(o, &err);
 *   do
 *           status = sooth_observer_step(o, 100, &err);
 *   while (status > 0 || status == -EINTR);     (or until you want to stop)
 *   sooth_observer_stop(o, SOOTH_END_STOPPED, &err);
 *
 * One thread at a time may use an observer and the observers that share its attachments. Every
 * function that returns int returns 0, or a negative errno with the error filled, unless its
 * comment says otherwise; after a failure sooth_observer_free() is always allowed. Strings and
 * structs that the caller passes are copied unless the comment says otherwise. Privilege: the
 * probes need it (`sooth doctor` lists what), but procfs probes of the caller's own processes need
 * none. Processes of other users are refused unless the caller could trace them (ptrace(2)), even
 * if the file of the program has capabilities. The library prints nothing and installs no signal
 * handler, but replaces libbpf's process-global print hook while it opens a BPF backend.
 */
#ifndef SOOTH_OBSERVER_H
#define SOOTH_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/probe_options.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sooth_observer;
struct sooth_report;

/* Records that a probe is to deliver. A probe may not offer all; sooth_observer_start() says so. */
enum sooth_interest {
	SOOTH_SAMPLE = 1, /* states, at start, every sample_ns, and at the end */
	SOOTH_COUNT = 2,  /* events are counted where they happen; only sums reach the library */
	SOOTH_STREAM = 4, /* every event */
	/* With SOOTH_SAMPLE: also values that take long to read: resident memory of each mapping
	 * (the kernel walks the page tables), the processes at the other end of a pipe (every
	 * process of the host is read), paths of watched directories. */
	SOOTH_DETAIL = 16,
	/* With SOOTH_SAMPLE of "proc": for processes unrelated to an agent only the values that
	 * show this, and those that cost nothing extra. With "sockets" of a whole host or user:
	 * only agents and the processes they started. With any other probe of a host or user, and
	 * with "sockets" if pids were added: only the added pids. */
	SOOTH_BRIEF = 32,
	/* With SOOTH_SAMPLE of "proc": also the name and time of the last tool call in an agent's
	 * own log, and nothing else of the log. */
	SOOTH_TRANSCRIPT = 64,
	/* With SOOTH_SAMPLE: samples at the start and every sample_ns, not at the end. Values that
	 * need two samples may then be not measured. */
	SOOTH_ONCE = 128,
	/* With SOOTH_SAMPLE: samples at the start, every edges_ns and at the end, independent of
	 * sample_ns: for expensive values that are compared only between these samples. */
	SOOTH_EDGES = 256,
	/* With SOOTH_SAMPLE of "proc": only what runs, and not which versions of agents are
	 * installed in many folders; whether a process is outdated is then unknown. */
	SOOTH_RUNNING = 512,
};

/* Zeroed fields mean the default. `size` is sizeof(struct sooth_observer_options): the library
 * takes the prefix it knows. */
struct sooth_observer_options {
	size_t size;
	/* Another observer, with which this one shares its kernel attachments; NULL: none. Do not
	 * free the other observer before this one has started. */
	struct sooth_observer *share;
	uint64_t sample_ns;    /* time between samples; 0: only at start and end */
	uint64_t buffer_bytes; /* size of the ring to the kernel, rounded up to a power of 2 */
	/* A launched command runs as this user and group instead of the real ids. */
	bool has_launch_user;
	uid_t launch_uid;
	gid_t launch_gid;
	/* Receives debug messages, without a newline, of the levels up to log_level: 1 (errors), 2
	 * (warnings), 3 (actions), 4 (each step), 5 (also the steps of libbpf). The library calls
	 * it in the thread of the caller; `line` is borrowed for the call. NULL: none. */
	void (*log)(void *user, int level, const char *line);
	void *log_user;
	int log_level;
	/* Folders where the probe "host" looks for tracers beside the system's own; absolute, with
	 * ":" between, as in PATH. NULL: no others. Borrowed until start returns. */
	const char *search_path;
	/* Some of the added pids may have exited, but at least one has to run. After
	 * sooth_observer_set_host() all may have exited: the probe "exit_reasons" then searches for
	 * traces that they left. */
	bool may_be_gone;
	/* Time between samples of a probe with SOOTH_EDGES; 0: only at start and end. */
	uint64_t edges_ns;
	/* A probe leaves out the added pids that it may not observe, and reports each as a limit;
	 * if it may observe no pid, start fails. */
	bool may_be_refused;
	/* A folder of the caller in which probes cache what they read from executables, like
	 * layouts of script engines. It is created if it is missing. Absolute; borrowed until start
	 * returns; NULL: no cache. */
	const char *cache_folder;
	/* URLs of debuginfod servers with blanks between them. To name frames of stacks,
	 * libdebuginfod fetches debug files that are not on this machine from these servers, and
	 * keeps them in cache_folder. This takes up to some minutes after the observation. Borrowed
	 * until start returns; NULL: nothing is fetched. */
	const char *debuginfod_urls;
	/* Maximum size of the kept debug files: the least recently used ones are removed; 0: 512
	 * MiB. A file larger than half of it is not fetched. */
	uint64_t debug_cache_bytes;
	/* The observer starts paused, as after sooth_observer_pause(), before a command runs. */
	bool starts_paused;
	/* Options of the probes "heap", "profile" and "syscalls". */
	struct sooth_heap_options heap;
	struct sooth_profile_options profile;
	struct sooth_calls_options calls;
	/* Maximum overhead for the target, in percent of its CPU time; 0: none. A probe that
	 * exceeds it for some seconds (on allocators, some 0.1 s) observes less from then on, and
	 * reports each step as a limit: single calls are only counted, then counted in short
	 * windows, then not observed. */
	uint64_t max_overhead_percent;
};

/* Creates an observer. `options` may be NULL. *out is written only on success; the caller frees it.
 * Fails only with -ENOMEM. */
int sooth_observer_new(struct sooth_observer **out, const struct sooth_observer_options *options,
	struct sooth_error *err);

/* Adds a process to the target. Several pids are one target. start fails if a pid does not exist; a
 * pid that is added to a running observer joins immediately (-ESRCH: it is gone). After
 * sooth_observer_set_host() the pids select processes of the host: all processes are sampled, but
 * only the selected ones and their children are counted or streamed. */
int sooth_observer_add_pid(struct sooth_observer *o, pid_t pid, struct sooth_error *err);
/* Makes every process of a user the target, also future ones. */
int sooth_observer_set_user(struct sooth_observer *o, uid_t uid, struct sooth_error *err);
/* Every process. */
int sooth_observer_set_host(struct sooth_observer *o, struct sooth_error *err);
/* Makes a command the target, which the observer launches. `command` ends with NULL, and is copied.
 * The command waits until the observation runs, so that it is seen from its exec on. Children are
 * followed. */
int sooth_observer_set_command(
	struct sooth_observer *o, char *const *command, struct sooth_error *err);

/* Adds a probe. `interest` is an OR of enum sooth_interest; a second call for the same probe adds
 * to it. `sooth doctor` lists the names of probes. -ENOENT: there is no such probe, -EINVAL: it
 * offers none of the requested records. */
int sooth_observer_add_probe(
	struct sooth_observer *o, const char *probe, unsigned interest, struct sooth_error *err);

/*
 * Adds a user's own agent to the built-in ones; call it before start. `text` is the content of a
 * file that docs/howto-add-agent.md describes. Errors name `file` and the line. The name of the
 * file without folders and the text without comments go into the stream, so that every reader of
 * the stream knows the agent too. At most 64 agents of 16 KiB. -EINVAL: the text is wrong, -EEXIST:
 * there is an agent of that name; nothing was added then.
 */
int sooth_observer_add_agent(struct sooth_observer *o, const char *file, const char *text,
	size_t size, struct sooth_error *err);
/* Adds a limit that is known before start: `what` will not be seen, because of `reason`. The notes
 * of the report and the capture contain it. `remedy` may be empty. */
int sooth_observer_add_limit(struct sooth_observer *o, const char *what, const char *reason,
	const char *remedy, struct sooth_error *err);

/* Connects a report, which then receives the blocks. Call this before start. The report must
 * outlive the last call with the observer. The caller finishes it after sooth_observer_stop(), and
 * frees it. */
int sooth_observer_connect_report(
	struct sooth_observer *o, struct sooth_report *report, struct sooth_error *err);
/* Creates a capture file at once, with mode 0600, never through a symbolic link; "-": standard
 * output. Call this before start. The call that writes returns a later write error. */
int sooth_observer_save(struct sooth_observer *o, const char *path, struct sooth_error *err);

/*
 * Attaches, and starts the observation; only once. -EINVAL: there is no target. -EPERM:
 * err->missing names the privilege; -ESRCH: the target is gone; for a command: the error of its
 * exec. If a backend of a probe fails, the next one is tried: the stream records the backend in
 * use, and why the better ones failed.
 */
int sooth_observer_start(struct sooth_observer *o, struct sooth_error *err);
/*
 * Waits up to timeout_ms for records, and passes them to the consumers. 1: call it again; 0: every
 * process of the target has ended; -EINTR: a signal came.
 */
int sooth_observer_step(struct sooth_observer *o, int timeout_ms, struct sooth_error *err);
/*
 * Returns a descriptor to poll in a loop of the caller, while the observer runs. It is readable
 * when sooth_observer_step() has something to do, and some times a second in any case. Then call
 * sooth_observer_step() with a timeout of 0. Do not read or close the descriptor. On failure
 * returns a negative errno; -ENOSYS: not available on this system.
 */
int sooth_observer_fd(struct sooth_observer *o, struct sooth_error *err);
/*
 * Begins a phase of the target, while the observer runs. The stream gets a record, which reports
 * and captures contain among the events, in order of time. At most 255 bytes of the name are kept.
 */
int sooth_observer_mark(struct sooth_observer *o, const char *name, struct sooth_error *err);
/*
 * Stops recording events of probes until sooth_observer_resume(). Both calls leave marks in the
 * stream. Samples go on, new processes are followed, and the target is probed as before. Returns 0
 * also if the observer is already paused. -EOPNOTSUPP: a probe only counts.
 */
int sooth_observer_pause(struct sooth_observer *o, struct sooth_error *err);
int sooth_observer_resume(struct sooth_observer *o, struct sooth_error *err);
/* Puts a mark (kind 0x000b, field "mark": "snapshot") into the stream. When a handler of records
 * receives the mark, it has received all events from before this call. */
int sooth_observer_snapshot(struct sooth_observer *o, struct sooth_error *err);

/* Returns how much time an event of a probe costs the target with the backend in use, as measured
 * on one machine (bench/); 0: none, or not measured. The observer has to run. */
uint64_t sooth_observer_event_ns(const struct sooth_observer *o, const char *probe);

enum sooth_end {
	SOOTH_END_DURATION = 1, /* the requested time is over */
	SOOTH_END_STOPPED = 3,	/* stopped on request */
};
/* Detaches, takes the last records, and finishes the capture. Returns 0 also if the observer does
 * not run. The recorded reason is `why`, or that the target has ended. */
int sooth_observer_stop(struct sooth_observer *o, enum sooth_end why, struct sooth_error *err);
/* Returns the PID of the launched command, in the caller's pid namespace; 0: none was launched. */
pid_t sooth_observer_child_pid(const struct sooth_observer *o);
/* Returns the wait status of the launched command, as from waitpid(2); -1: none, or it still
 * runs. */
int sooth_observer_child_status(struct sooth_observer *o);
/* Detaches if that was not done; the capture then has no end record. A launched command that never
 * started is killed; a running command goes on. `o` may be NULL. */
void sooth_observer_free(struct sooth_observer *o);

#ifdef __cplusplus
}
#endif
#endif

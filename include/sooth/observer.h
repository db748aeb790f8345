/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collecting half. An observer has a target and probes; while it runs it
 * makes blocks of records for its consumers: a live report
 * (<sooth/report.h>), a capture file, or both.
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
 * One thread at a time may use an observer and all that share its hub. Every
 * function that returns int gives 0, or a negative errno with the error filled,
 * where nothing else is said; after one that failed sooth_observer_free() is always
 * right. Strings and structs that are handed in are copied where nothing else is said.
 * Privilege: whatever the probes need (`sooth doctor` lists it); procfs probes of
 * one's own processes need none. Processes of other users are refused unless the caller could
 * trace them (ptrace(2)), whatever capabilities the file has. The library prints nothing and
 * installs no signal handler, except that libbpf's print hook, which is process-global, is replaced
 * while a BPF backend is opened.
 */
#ifndef SOOTH_OBSERVER_H
#define SOOTH_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sooth/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sooth_observer;
struct sooth_report;

/* Records that a probe is to deliver. A probe may not offer all; sooth_observer_start() says so. */
enum sooth_interest {
	SOOTH_SAMPLE = 1, /* states, at start, every sample_ns, and at the end */
	SOOTH_COUNT = 2,  /* counted where it happens; only sums cross */
	SOOTH_STREAM = 4, /* every event */
	/* With SOOTH_SAMPLE: also what takes long to find out: resident memory of each mapping (the
	 * kernel walks the page tables), who holds the other end of a pipe (every process of the
	 * host is looked at), paths of watched directories. */
	SOOTH_DETAIL = 16,
	/* With SOOTH_SAMPLE of "proc": for processes unrelated to an agent only what shows
	 * that, and values that cost nothing extra. With "sockets" of a whole host or user: only
	 * agents and the processes they started. With any other probe of a host or user, and with
	 * "sockets" when pids were added: only those pids. */
	SOOTH_BRIEF = 32,
	/* With SOOTH_SAMPLE of "proc": also what an agent's own log records: name and time of its
	 * last tool call, never more. */
	SOOTH_TRANSCRIPT = 64,
	/* With SOOTH_SAMPLE: at the start and every sample_ns, not at the end: what needs an
	 * interval is not measured then. */
	SOOTH_ONCE = 128,
	/* With SOOTH_SAMPLE: at the start, every edges_ns and at the end, whatever sample_ns says:
	 * for what is dear, and compared only between these. */
	SOOTH_EDGES = 256,
};

/* Zeroed fields mean the default. `size` is sizeof(struct sooth_observer_options): the library
 * takes the prefix it knows. */
struct sooth_observer_options {
	size_t size;
	/* Share what is attached to the kernel with another observer; NULL: alone. The other
	 * must not be freed before this one has started. */
	struct sooth_observer *share;
	uint64_t sample_ns;    /* time between samples; 0: only at start and end */
	uint64_t buffer_bytes; /* of the ring to the kernel, rounded up to a power of two */
	/* A launched command runs as this user and group instead of the real ids. */
	bool has_launch_user;
	uid_t launch_uid;
	gid_t launch_gid;
	/* Messages for debugging, without a newline, of levels 1 (errors), 2 (warnings), 3 (what
	 * is done), 4 (each step) to 5 (also the steps of libbpf); those up to log_level. Called
	 * during the library's calls, by their thread; `line` is borrowed for the call. NULL: none.
	 */
	void (*log)(void *user, int level, const char *line);
	void *log_user;
	int log_level;
	/* A launched command may be held for moments while the ring is full, so that nothing is
	 * lost; by the probes that can. Nothing else is held unless must_hold says so. */
	bool may_pause;
	/* Folders where the probe "host" looks for tracers beside the system's own; absolute, with
	 * ":" between, as in PATH. NULL: no others. Borrowed until start returns. */
	const char *search_path;
	/* Some of the added pids may have exited; at least one has to run. After
	 * sooth_observer_set_host() all may: the probe "exit_reasons" then looks for what is left
	 * of them. */
	bool may_be_gone;
	/* Calls to record by the probe "syscalls": "openat,close", "file,network", "%path",
	 * "!futex"; borrowed until start returns; NULL: all. Calls that change descriptors are in
	 * every stream. */
	const char *calls;
	bool only_failed; /* of a stream of calls those that failed */
	/* How many bytes of what a call reads or writes are kept: of others' data, so nothing
	 * unless it is asked for. */
	uint32_t data_bytes;
	/* Time between samples of what is sampled with SOOTH_EDGES; 0: only at start and end. */
	uint64_t edges_ns;
	/* Pause the target, also one that already runs, while the ring is full; by the probe
	 * "syscalls" when it streams. If the target cannot be paused, start fails. Never for a
	 * host or a user: the process that reads the records would be paused too. */
	bool must_hold;
	/* Record at most some hundred streamed calls a thread, and some thousand in all, per 0.1 s,
	 * and only count the others. */
	bool has_call_budget;
#define SOOTH_PROFILE_HZ_MOST 10000
	/* Samples per second and CPU by the probe "profile"; 0: 99; at most
	 * SOOTH_PROFILE_HZ_MOST. */
	uint32_t profile_hz;
	/* Added pids that a probe may not observe are left out of it, with a limit that names the
	 * process; if it may observe none, start fails. */
	bool may_be_refused;
	/* The probe "profile" takes the stack of each call that `calls` selects, where the call
	 * begins, instead of samples. */
	bool profile_calls;
	/* Stacks are walked by unwind information alone, without frame pointers: a stack that needs
	 * them ends there. */
	bool profile_tables_only;
	/* The same where a thread stops running, if it does so for that long, in nanoseconds; 0:
	 * samples. */
	uint64_t profile_wait_ns;
	/* With profile_wait_ns: also take samples, so that waits and running time are covered. */
	bool profile_wall;
	/* The probe "profile" takes the stack of each page fault instead of samples, and what gives
	 * pages back: which code touched the memory that remains. */
	bool profile_pages;
	/* Frames of stacks get the line of their source, and the functions that the compiler put
	 * into theirs, where a file or its separate debug file has debug information (DWARF).
	 * Reading it takes up to some seconds for a large program, after the observation. */
	bool profile_lines;
	/* The probe "heap" takes the stack of each allocation. It makes a call some microseconds
	 * longer, and needs BPF. */
	bool heap_stacks;
	/* With SOOTH_COUNT of the probe "heap": the kernel side adds up allocations by stack and
	 * size class, with what is live of them. No call crosses to user space, so nothing is lost
	 * at any rate, and a call takes about as long as with heap_stacks, which is implied. */
	bool heap_sums;
	/* The number of live blocks that the kernel side can know at a time, some 100 bytes of
	 * kernel memory each while they live; 0: 1,048,576. Further ones are counted as untracked.
	 */
	uint64_t heap_blocks;
	/* With heap_sums: a block is taken into account with a chance that grows with its size, so
	 * that about one sample is taken per so many allocated bytes; 0: every block. Values of
	 * stacks and live blocks are estimates then, with their error. */
	uint64_t heap_sample_bytes;
	/* With heap_sums: frees that are errors are recorded, with their stacks: of a block that is
	 * free already, or of what is none. A call takes some 200 ns longer. */
	bool heap_frees;
	/* A folder of the caller's, made if it is not there, for what probes find out of
	 * executables and would find out again: layouts of script engines. Absolute; borrowed until
	 * start returns; NULL: nothing is kept. */
	const char *cache_folder;
	/* URLs of debuginfod servers with blanks between them: debug files that are not on this
	 * machine are fetched from there when frames of stacks are named, by libdebuginfod, and
	 * kept in cache_folder. It takes up to some minutes after the observation. Borrowed until
	 * start returns; NULL: nothing is fetched. */
	const char *debuginfod_urls;
	/* Maximum size of the kept debug files: the least recently used ones are removed; 0: 512
	 * MiB. A file larger than half of it is not fetched. */
	uint64_t debug_cache_bytes;
	/* A stream of calls also has what the bytes on connections show of API calls: request lines
	 * of HTTP without their query, statuses, the heads of TLS records, the server's name in a
	 * TLS hello. Never a header or a body. */
	bool keeps_api;
	/* With keeps_api: of calls that read or write, record only those on IPv4 and IPv6 sockets;
	 * names of files are not followed then. */
	bool only_api;
	/* Where the allocations of a launched command are observed: 0: in the kernel, without
	 * privilege in the process; 1: in the kernel; 2: by a library that its programs load, which
	 * needs no privilege, and makes a call some 10 ns longer; 3: in the process where its
	 * program loads the library, else in the kernel; without the privilege for that as 2. */
	int heap_engine;
	/* Path of the library for heap_engine; borrowed until start returns; NULL: the installed
	 * one. */
	const char *heap_library;
	/* The observer starts paused, as after sooth_observer_pause(), before a command runs. */
	bool starts_paused;
	/* With profile_pages: of about so many page faults a second and CPU the stack is taken, and
	 * each of them stands for those before it; 0: of every one. Without: these beside samples
	 * by the clock, to know which code makes memory grow; 0: of none. */
	uint32_t page_fault_hz;
	/* Implies heap_sums, for what is probed. Where the probes take more than 40 % of the CPU
	 * time of the target over 200 ms, samples are added up from then on, one in about 128
	 * calls, as with heap_sample_bytes; a limit in the stream says so. Sums from before stay,
	 * and are no estimates. */
	bool heap_adapts;
};

/* options may be NULL. *out is to be freed, and is written on success only. -ENOMEM. */
int sooth_observer_new(struct sooth_observer **out, const struct sooth_observer_options *options,
	struct sooth_error *err);

/* The target. Several pids are one target. start fails if one does not exist; a pid
 * added to a running observer joins immediately (-ESRCH: it is gone).
 * After sooth_observer_set_host() they select processes of the host: all are sampled; only
 * these and their children are counted or streamed. */
int sooth_observer_add_pid(struct sooth_observer *o, pid_t pid, struct sooth_error *err);
/* Every process of a user, also those to come. */
int sooth_observer_set_user(struct sooth_observer *o, uid_t uid, struct sooth_error *err);
/* Every process. */
int sooth_observer_set_host(struct sooth_observer *o, struct sooth_error *err);
/* A command to launch, NULL at the end, copied. It is held until the observation runs, so that it
 * is seen from its exec on. Children are followed. */
int sooth_observer_set_command(
	struct sooth_observer *o, char *const *command, struct sooth_error *err);

/* Interest is an or of enum sooth_interest; of a probe that was added already it is added. Probe
 * names: `sooth doctor`. -ENOENT: there is no such probe, -EINVAL: it offers nothing of that. */
int sooth_observer_add_probe(
	struct sooth_observer *o, const char *probe, unsigned interest, struct sooth_error *err);

/*
 * A user's own agent, beside the built-in ones, before start: the text of a file as
 * docs/howto-add-agent.md describes it. `file` names it in errors, which say the line; its
 * name without folders and the text without comments go into the stream, so that every
 * reader of the stream knows the agent too. At most 64 of 16 KiB. -EINVAL when the text is wrong,
 * -EEXIST when there is an agent of that name; nothing was added then.
 */
int sooth_observer_add_agent(struct sooth_observer *o, const char *file, const char *text,
	size_t size, struct sooth_error *err);
/* Something that will not be seen, and is known before start: it stands among the notes of the
 * report, and in the capture. `remedy` may be empty. */
int sooth_observer_add_limit(struct sooth_observer *o, const char *what, const char *reason,
	const char *remedy, struct sooth_error *err);

/* Take the blocks. Before start. The report must outlive the observer's last call; it is still the
 * caller's, who finishes it after sooth_observer_stop(). */
int sooth_observer_connect_report(
	struct sooth_observer *o, struct sooth_report *report, struct sooth_error *err);
/* Write a capture, created 0600 at once and never through a symbolic link; before start. "-":
 * standard output. A later write error is returned by the call that writes. */
int sooth_observer_save(struct sooth_observer *o, const char *path, struct sooth_error *err);

/*
 * Attach and go, once. -EINVAL: there is no target. -EPERM with what is missing; -ESRCH when the
 * target is gone; for a command: the error of its exec. Whatever a probe cannot be had by is tried
 * in turn: by what it is had in the end, and why not better, stands in the stream.
 */
int sooth_observer_start(struct sooth_observer *o, struct sooth_error *err);
/*
 * Wait up to timeout_ms for something to happen and take it. 1: go on;
 * 0: every process of the target has ended; -EINTR: a signal came.
 */
int sooth_observer_step(struct sooth_observer *o, int timeout_ms, struct sooth_error *err);
/*
 * For a loop of one's own, while it runs: readable when sooth_observer_step() has something to do,
 * and some times a second in any case. Call that with a timeout of 0 then. It is the observer's:
 * not to be read or closed. A negative errno; -ENOSYS: not on this system.
 */
int sooth_observer_fd(struct sooth_observer *o, struct sooth_error *err);
/*
 * While it runs. A phase of the target begins: a record in the stream, which reports and captures
 * have among the events, in order of time. At most 255 bytes of the name are kept.
 */
int sooth_observer_mark(struct sooth_observer *o, const char *name, struct sooth_error *err);
/*
 * From now on no event of a probe is recorded, until sooth_observer_resume(); both are marks in the
 * stream. Samples, and what follows processes, go on, and the target is probed as before. 0 also
 * when it is paused already. -EOPNOTSUPP: a probe only counts.
 */
int sooth_observer_pause(struct sooth_observer *o, struct sooth_error *err);
int sooth_observer_resume(struct sooth_observer *o, struct sooth_error *err);
/* A mark of its own kind: when a handler of records sees it (kind 0x000b, field "mark":
 * "snapshot"), all that had happened by now has come. */
int sooth_observer_snapshot(struct sooth_observer *o, struct sooth_error *err);

/* While it runs: how much of the target's time an event of a probe takes by the method that it is
 * had by, as measured on one machine (bench/); 0: none, or not measured. */
uint64_t sooth_observer_event_ns(const struct sooth_observer *o, const char *probe);

enum sooth_end {
	SOOTH_END_DURATION = 1, /* the requested time is over */
	SOOTH_END_STOPPED = 3,	/* stopped on request */
};
/* Detach, take the last records, finish the capture. 0 also when it does not run. If the target
 * had ended, that is recorded as the reason instead of `why`. */
int sooth_observer_stop(struct sooth_observer *o, enum sooth_end why, struct sooth_error *err);
/* PID of the launched command, in the caller's pid namespace; 0: none was launched. */
pid_t sooth_observer_child_pid(const struct sooth_observer *o);
/* Wait status of the launched command, as waitpid(2) gives it; -1: none, or it still runs. */
int sooth_observer_child_status(struct sooth_observer *o);
/* Detaches if that was not done; the capture then has no end. A launched command that never started
 * is ended; one that runs goes on. NULL is fine. */
void sooth_observer_free(struct sooth_observer *o);

#ifdef __cplusplus
}
#endif
#endif

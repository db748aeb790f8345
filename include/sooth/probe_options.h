/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options of single probes: members of struct sooth_observer_options and of the options of
 * trackers. Zeroed members mean the default. Strings are borrowed until start returns. `unused` is
 * room for later members, and has to be zeroed.
 */
#ifndef SOOTH_PROBE_OPTIONS_H
#define SOOTH_PROBE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Where the allocations of a launched command are observed. The library that its programs load
 * needs no privilege, and makes a call some 10 ns longer. */
enum sooth_heap_engine {
	SOOTH_ENGINE_DEFAULT, /* in the kernel; without privilege by the library */
	SOOTH_ENGINE_BPF,     /* in the kernel */
	SOOTH_ENGINE_PRELOAD, /* by the library */
	SOOTH_ENGINE_MIXED,   /* by the library in programs that load it, in the kernel for others;
				 without privilege by the library */
};

/* Options of the probe "heap". */
struct sooth_heap_options {
	/* Path of the library for chosen_engine; NULL: the installed one. */
	const char *preload_path;
	/* Maximum number of live blocks that the kernel side tracks, some 100 bytes of kernel
	 * memory each; 0: 1,048,576. Further blocks are counted as untracked. */
	uint64_t blocks_most;
	/* With sums_in_kernel: sample blocks, about one per so many allocated bytes; a large block
	 * is more likely to be sampled; 0: every block. Values of stacks and live blocks are then
	 * estimates, and are reported with their error. */
	uint64_t bytes_per_sample;
	enum sooth_heap_engine chosen_engine;
	/* Take the stack of each allocation; sooth_heap_frames() returns that of an event. A call
	 * then takes some microseconds longer. */
	bool takes_stacks;
	/* With SOOTH_COUNT: the kernel side aggregates allocations and live blocks by stack and
	 * size class. Single calls do not reach user space, so none is lost at any rate. A call
	 * takes about as long as with takes_stacks, which is implied. */
	bool sums_in_kernel;
	/* Implies sums_in_kernel: record wrong frees with their stacks: the block is already free,
	 * or the address is not that of a block. A call takes some 200 ns longer. */
	bool finds_wrong_frees;
	/* Implies sums_in_kernel for probed allocators. If the probes take more than 40 % of the
	 * target's CPU time over 200 ms, only about one in 128 calls is counted from then on, as
	 * with bytes_per_sample; a limit in the stream reports that. The earlier sums stay, and are
	 * exact. */
	bool adapts_to_load;
	/* Pause a launched command for moments while the ring is full, so that nothing is lost. No
	 * other process is paused. Needs a ring of at least 256 KiB: a smaller one fills before
	 * the pause takes effect. */
	bool may_pause;
	/* As has_source_lines of struct sooth_profile_options, for the stacks of allocations. */
	bool has_source_lines;
	unsigned char unused[22];
};

#define SOOTH_PROFILE_HZ_MOST 10000

/* Options of the probe "profile"; has_source_lines also of "stacks". */
struct sooth_profile_options {
	/* Take the stack of each thread that stops running for at least so many nanoseconds,
	 * instead of samples; 0: samples. */
	uint64_t least_wait_ns;
	/* Samples per second and CPU; 0: 99; at most SOOTH_PROFILE_HZ_MOST. */
	uint32_t rate_hz;
	/* With of_page_faults: how many page faults a second and CPU are sampled with their stack;
	 * each sample also stands for the unsampled faults before it; 0: every fault. Without
	 * of_page_faults: page faults are sampled at that rate beside the timed samples, to show
	 * which code makes memory grow; 0: none. */
	uint32_t page_fault_hz;
	/* With least_wait_ns: also take samples, so that waits and running time are covered. */
	bool also_samples;
	/* Take the stack of each call that calls.call_set selects, where the call begins, instead
	 * of samples. */
	bool of_calls;
	/* Take the stack of each page fault instead of samples, and observe which pages are freed.
	 * The result shows which code touched the memory that remains. */
	bool of_page_faults;
	/* Walk stacks only by unwind information. A stack that needs frame pointers is cut off. */
	bool by_tables_only;
	/* Frames get their source line and inlined functions, if the file or its separate debug
	 * file has debug information (DWARF). For a large program this takes up to some seconds
	 * after the observation. */
	bool has_source_lines;
	unsigned char unused[27];
};

/* Options of the probe "syscalls". */
struct sooth_calls_options {
	/* Which calls: "openat,close", "file,network", "%path", "!futex"; NULL: all. Calls that
	 * change descriptors are in every stream. */
	const char *call_set;
	/* How many bytes of the data that a call reads or writes are kept. The data is private, so
	 * the default is none. */
	uint32_t kept_data_bytes;
	/* Stream only calls that failed. */
	bool failures_only;
	/* Pause the target while the ring is full, even if it was not launched by sooth. Only for a
	 * stream. If the target cannot be paused, start fails. Not for a host or a user: the
	 * process that reads the records would be paused too. */
	bool must_hold;
	/* Record at most some hundred streamed calls a thread, and some thousand in all, per 0.1 s,
	 * and only count the others. */
	bool has_call_budget;
	/* Record facts about API calls from the bytes on connections in a stream of calls: request
	 * lines of HTTP without their query, statuses, the heads of TLS records, the server name in
	 * a TLS hello. Headers and bodies are never recorded. */
	bool records_api;
	/* With records_api: record reads and writes only if they are on IPv4 or IPv6 sockets. Names
	 * of files are then not followed. */
	bool records_only_api;
	/* Trace by ptrace(2) instead of BPF: without privilege for the caller's own processes. Each
	 * call then stops the target two times for some microseconds. Not for a host or a user. */
	bool by_ptrace;
	/* With by_ptrace, of a launched command: a seccomp filter lets only the selected calls stop
	 * it. The command and its children gain no privilege, and are killed when the observation
	 * ends. */
	bool by_seccomp;
	unsigned char unused[21];
};

#endif

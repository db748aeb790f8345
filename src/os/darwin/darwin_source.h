/* SPDX-License-Identifier: BSD-2-Clause */
/* macOS as a source of the backends in os/bsd: libproc and sysctl(3). Only root gets memory, CPU
 * time and descriptors of other users' processes. */
#pragma once

#include "os/bsd/source.h"
#include "probes/syscall_names.h"
#include "os/bsd/sysctl.h"
#include "os/darwin/sample_run.h"

/* Calls to the system; a test returns recorded answers. They return sizes, or a negative errno. */
struct darwin_calls {
	/* proc_listpids(PROC_ALL_PIDS): returns bytes of 32-bit pids; `out` NULL: how many. */
	int (*list_pids)(const struct darwin_calls *c, void *out, size_t size);
	int (*pid_info)(const struct darwin_calls *c, pid_t pid, int flavor, uint64_t argument,
		void *out, size_t size);
	int (*fd_info)(const struct darwin_calls *c, pid_t pid, int fd, int flavor, void *out,
		size_t size);
	int (*pid_path)(const struct darwin_calls *c, pid_t pid, void *out, size_t size);
	int (*pid_rusage)(const struct darwin_calls *c, pid_t pid, void *out, size_t size);
	/* Works like sysctl(3), but returns a negative errno. */
	int (*sysctl)(const struct darwin_calls *c, const int *name, unsigned names, void *out,
		size_t *size);
	struct bsd_sysctl by_name;
	/* getsid(2). */
	pid_t (*session)(const struct darwin_calls *c, pid_t pid);
	/* ns of a unit of mach_absolute_time(). */
	void (*timebase)(const struct darwin_calls *c, uint32_t *numerator, uint32_t *denominator);
	void *user;
};

int darwin_processes(const struct bsd_source *s, struct buffer *out);
int darwin_process(const struct bsd_source *s, pid_t pid, struct bsd_process *out);
int darwin_arguments(const struct bsd_source *s, pid_t pid, struct buffer *out);
int darwin_environment(const struct bsd_source *s, pid_t pid, struct buffer *out);
int darwin_executable(const struct bsd_source *s, pid_t pid, struct buffer *out);
int darwin_directory(const struct bsd_source *s, pid_t pid, struct buffer *out);
int darwin_descriptors(
	const struct bsd_source *s, pid_t pid, bsd_descriptor_visitor visitor, void *user);
int darwin_mappings(const struct bsd_source *s, pid_t pid, bsd_mapping_visitor visitor, void *user);
int darwin_threads(const struct bsd_source *s, pid_t pid, struct buffer *out);
int darwin_limits(const struct bsd_source *s, pid_t pid, struct bsd_limit *out, size_t *count);
void darwin_host(const struct bsd_source *s, struct host_facts *facts);
void darwin_load(const struct bsd_source *s, struct host_load *load);
void darwin_memory(const struct bsd_source *s, struct host_memory *memory);

/* Initializes a source: the calls, then its other members. */
#define DARWIN_SOURCE(calls_, ...)                                                                 \
	{                                                                                          \
		.maps_lack =                                                                       \
			"huge and locked bytes of mappings (shown as 0); PSS is private bytes",    \
		.waits_lack = "what a thread waits for: only its state and its children",          \
		.wait_functions = darwin_wait_functions, .dtrace = "/usr/sbin/dtrace",             \
		.fs_usage = "/usr/bin/fs_usage", .sample = "/usr/bin/sample", .calls = calls_,     \
		.abi = SYSCALL_ABI_DARWIN, .processes = darwin_processes,                          \
		.process = darwin_process, .arguments = darwin_arguments,                          \
		.environment = darwin_environment, .executable = darwin_executable,                \
		.directory = darwin_directory, .descriptors = darwin_descriptors,                  \
		.mappings = darwin_mappings, .threads = darwin_threads, .limits = darwin_limits,   \
		.host = darwin_host, .load = darwin_load, .memory = darwin_memory, __VA_ARGS__     \
	}

extern const struct darwin_calls darwin_native_calls;
extern const struct backend *const darwin_backends[];

/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeBSD as a source of the backends in os/bsd: it reads everything by sysctl(3), which needs no
 * privilege for the caller's own processes, and mostly none for those of other users. */
#pragma once

#include "os/bsd/source.h"
#include "probes/syscall_names.h"
#include "os/bsd/sysctl.h"

/* Calls to the system, like sysctl(3), but with a negative errno; tests return recorded answers. */
struct freebsd_calls {
	int (*sysctl)(const struct freebsd_calls *c, const int *name, unsigned names, void *out,
		size_t *size);
	struct bsd_sysctl by_name;
	/* Looks up the number of a name, like sysctlnametomib(3). */
	int (*name_of)(const struct freebsd_calls *c, const char *text, int *name, unsigned *names);
	/* ktrace(2). */
	int (*ktrace)(const struct freebsd_calls *c, const char *path, int operation, int points,
		pid_t pid);
	/* Starts a process that ends all tracing to a file and removes it, once the returned
	 * descriptor is closed or this process is killed. Or a negative errno. */
	int (*guard)(const struct freebsd_calls *c, const char *path);
	void *user;
};

int freebsd_processes(const struct bsd_source *s, struct buffer *out);
int freebsd_process(const struct bsd_source *s, pid_t pid, struct bsd_process *out);
int freebsd_arguments(const struct bsd_source *s, pid_t pid, struct buffer *out);
int freebsd_environment(const struct bsd_source *s, pid_t pid, struct buffer *out);
int freebsd_executable(const struct bsd_source *s, pid_t pid, struct buffer *out);
int freebsd_directory(const struct bsd_source *s, pid_t pid, struct buffer *out);
int freebsd_descriptors(
	const struct bsd_source *s, pid_t pid, bsd_descriptor_visitor visitor, void *user);
int freebsd_mappings(
	const struct bsd_source *s, pid_t pid, bsd_mapping_visitor visitor, void *user);
int freebsd_threads(const struct bsd_source *s, pid_t pid, struct buffer *out);
int freebsd_socket_addresses(const struct bsd_source *s, struct buffer *out);
int freebsd_file_locks(const struct bsd_source *s, struct buffer *out);
bool freebsd_waits_to_send(const struct bsd_source *s, pid_t pid, uint64_t tid);
int freebsd_kernel_stacks(const struct bsd_source *s, pid_t pid, struct buffer *out);
int freebsd_limits(const struct bsd_source *s, pid_t pid, struct bsd_limit *out, size_t *count);
void freebsd_host(const struct bsd_source *s, struct host_facts *facts);
void freebsd_load(const struct bsd_source *s, struct host_load *load);
void freebsd_memory(const struct bsd_source *s, struct host_memory *memory);

/* Initializes a source: the calls, then its other members. */
#define FREEBSD_SOURCE(calls_, ...)                                                                \
	{                                                                                          \
		.maps_lack =                                                                       \
			"swapped, huge and locked bytes of mappings (shown as 0); PSS and DIRTY "  \
			"are private bytes",                                                       \
		.dtrace = "/usr/sbin/dtrace", .calls = calls_, .abi = SYSCALL_ABI_FREEBSD,         \
		.processes = freebsd_processes, .process = freebsd_process,                        \
		.arguments = freebsd_arguments, .environment = freebsd_environment,                \
		.executable = freebsd_executable, .directory = freebsd_directory,                  \
		.descriptors = freebsd_descriptors, .mappings = freebsd_mappings,                  \
		.threads = freebsd_threads, .socket_addresses = freebsd_socket_addresses,          \
		.file_locks = freebsd_file_locks, .waits_to_send = freebsd_waits_to_send,          \
		.waits_lack =                                                                      \
			"arguments and timeouts of calls that threads wait in; owners of locks "   \
			"in memory",                                                               \
		.kernel_stacks = freebsd_kernel_stacks, .limits = freebsd_limits,                  \
		.host = freebsd_host, .load = freebsd_load, .memory = freebsd_memory, __VA_ARGS__  \
	}

extern const struct freebsd_calls freebsd_native_calls;
extern const struct backend *const freebsd_backends[];

/* Opens a kqueue(2) that watches lives, as in struct bsd_source. */
int freebsd_watch_lives(void);
int freebsd_watch_life(int descriptor, pid_t pid);
int freebsd_next_life(int descriptor, struct bsd_life_event *out);

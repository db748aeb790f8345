/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of struct os that FreeBSD and macOS share: by a source, kqueue(2) and POSIX. */
#pragma once

#include "os/launch_pipe.h"
#include "os/os.h"

/* --- on a source: compiled everywhere --- */

uint64_t bsd_now_ns(const struct os *os);
int64_t bsd_realtime_offset_ns(const struct os *os);
void bsd_host(const struct os *os, struct host_facts *facts);
void bsd_self(const struct os *os, struct self_cost *cost);
size_t bsd_environment(const struct os *os, struct environment_fact *facts, size_t max);
int bsd_identify(
	const struct os *os, pid_t pid, struct process_id *process, struct sooth_error *err);
bool bsd_is_alive(const struct os *os, const struct process_id *process);
void bsd_command_line(const struct os *os, const struct process_id *process, struct buffer *out);
int bsd_list(const struct os *os, bool has_uid, uint32_t uid, struct buffer *process_ids,
	struct sooth_error *err);
int bsd_freeze_group(const struct os *os, const struct process_id *processes, size_t count,
	bool is_frozen, char *group, size_t room, struct sooth_error *err);
int bsd_wait(const struct os *os, const int *descriptors, size_t count, int timeout_ms);

/* --- by kqueue(2) and fork(2): on these systems only --- */

int bsd_open_process(
	const struct os *os, const struct process_id *process, struct sooth_error *err);
int bsd_signal_process(const struct os *os, int descriptor, const struct process_id *process,
	int number, struct sooth_error *err);
int bsd_native_watch_exit(pid_t pid);
int bsd_native_exit_status(int descriptor, uint32_t *status);
int bsd_launch(
	const struct os *os, char *const *command, struct launch *launch, struct sooth_error *err);
bool bsd_reap(const struct os *os, struct launch *launch);
void bsd_keep_least(const struct os *os);
void bsd_end_with_parent(const struct os *os, int life);
bool bsd_drop_all(const struct os *os);

#define BSD_OS_FUNCTIONS                                                                           \
	.now_ns = bsd_now_ns, .realtime_offset_ns = bsd_realtime_offset_ns, .host = bsd_host,      \
	.self = bsd_self, .environment = bsd_environment, .identify = bsd_identify,                \
	.is_alive = bsd_is_alive, .command_line = bsd_command_line, .list = bsd_list,              \
	.freeze_group = bsd_freeze_group, .wait = bsd_wait

#define BSD_OS_NATIVE_FUNCTIONS                                                                    \
	.open_process = bsd_open_process, .signal_process = bsd_signal_process,                    \
	.launch = bsd_launch, .release = launch_pipe_release, .reap = bsd_reap,                    \
	.abandon = launch_pipe_abandon, .keep_least = bsd_keep_least,                              \
	.end_with_parent = bsd_end_with_parent, .drop_all = bsd_drop_all

/* SPDX-License-Identifier: BSD-2-Clause */
/* The traced threads, in the tracing process. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/map.h"
#include "bpf/aggregate.h"
#include "bpf/syscalls.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include "os/linux/files/task_files.h"
#include "os/linux/ptrace/tracer.h"

struct tracee {
	struct process_id process;
	pid_t tid;
	unsigned interest; /* 0: detach at the next stop */
	uint64_t from_ns;
	bool is_before_exec;
	bool in_call, is_unwanted, is_followed, has_returned;
	/* The call of the thread when it was seized, which is interrupted and begins again. */
	struct task_call before;
	uint64_t entered_ns; /* 0: the begin of the call was not seen */
	uint32_t number;
	uint16_t abi;
	uint8_t gaps; /* of each of its calls: SYSCALLS_OWN_PIDS */
	uint64_t arguments[6];
	/* Read at the entry of the call: the path of an exec, what the kernel will overwrite. */
	int32_t path_bytes;
	uint8_t requested_state;
	char path[SYSCALLS_PATH_MAX];
	char asked[SYSCALLS_REQUESTED_BYTES];
	char name[PROCESS_NAME_SIZE];
	uint64_t named_ns;   /* time at which the name was read */
	struct map counts;   /* struct tracee_call -> struct aggregate_slot */
	struct map failures; /* struct tracee_call -> uint64_t */
};

struct tracee_call {
	uint32_t abi, number, error, zero;
};

struct early_stop {
	uint64_t time_ns;
	int status;
};

struct tracees {
	struct shared_ring *ring;
	struct tracer_state *state;
	const struct syscalls_config *config;
	struct map threads;  /* pid_t -> struct tracee * */
	struct map early;    /* pid_t of children that stopped before their parent -> early_stop */
	struct buffer late;  /* records without room that may not be lost */
	struct buffer built; /* a record */
	size_t counts;	     /* entries in the counts and failures of all threads */
	pid_t sooth;
	/* While the ring is full: since when sooth has made no progress (0: the ring has room),
	 * for how long the target waits for it, and whether it has done so in vain. */
	uint64_t idle_since_ns, progress, patience_ns;
	bool is_vain;
	uint64_t caught; /* requests to end that sooth handles, as bits from 0 */
	bool has_begun, is_lossless, is_filtered;
	bool keeps_privilege; /* a program that gains privilege at its exec gets it while traced */
};

/* Serves the requests from `control` until sooth stops or ends. */
void tracees_serve(struct tracees *all, int control);

/* --- calls (tracee_calls.c) --- */

struct __ptrace_syscall_info;

/* Returns whether the thread is in a call whose begin was seen. */
bool tracee_is_in_call(const struct tracee *t);
/* Returns which argument is the path of the exec in which the thread is; -1: it is in none. */
int tracee_exec_path(const struct tracee *t);
/* Returns an argument that is an address. */
uint64_t tracee_address(const struct tracee *t, int argument);
/* Handles the entry or the return of a call, at which the thread is stopped. */
void tracee_call_stop(struct tracees *all, struct tracee *t,
	const struct __ptrace_syscall_info *info, uint64_t now);
/* The thread ends. */
void tracee_call_end(struct tracees *all, struct tracee *t, uint64_t now);
/* Hands over what was counted. */
void tracee_flush(struct tracees *all, struct tracee *t, uint64_t now);
void tracee_counts_init(struct tracee *t);
void tracee_counts_fini(struct tracees *all, struct tracee *t);

/* --- records --- */

/* Returns the head of a record of the thread. */
struct sooth_record tracee_record(const struct tracee *t, uint16_t kind, uint64_t now);
/* Sends the record in all->built, which may not be lost. */
void tracees_send(struct tracees *all);
/* Sends the record in all->built, or counts it as lost. */
void tracees_send_call(struct tracees *all);
/* Reads what sooth does at the begin. */
void tracees_watch_sooth(struct tracees *all);
/* Sends what had no room before. */
void tracees_send_late(struct tracees *all);
/* Sends it while sooth reads, until nothing is left. */
void tracees_send_rest(struct tracees *all);
/* Sets the time from which on sooth may find this process stuck; 0: never. */
void tracees_set_busy(struct tracees *all, uint64_t since_ns);
/* Reads a file of the thread in /proc, as procfs_read() does. */
int tracee_read_file(const struct tracee *t, const char *name, struct buffer *out);
/* Reads the name of the thread again if it is old. */
void tracee_read_name(struct tracee *t, uint64_t now);

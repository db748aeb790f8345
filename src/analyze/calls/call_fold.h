/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows the calls in a stream, once for all consumers (call history, operations, stacks, the
 * stream): tracks descriptors and directories (fd_follow.h), waits for the first snapshot of each
 * process, and passes on every call with its row, file or connection, path, bytes and error.
 */
#pragma once

#include "analyze/calls/call_pieces.h"
#include "analyze/calls/fd_follow.h"
#include "base/error.h"
#include "model/batch.h"
#include "probes/syscall_names.h"

/* Calls before the first snapshot of the descriptors. */
struct call_backlog {
	struct buffer held;   /* whole records, in order */
	struct map processes; /* process_id -> struct known_process */
	uint64_t first_ns;    /* time of the first held call; 0: none */
	uint64_t waiting;     /* processes with calls, but no snapshot yet */
	bool has_begun, is_over;
};

struct call_fold;

/* A descriptor that bytes are read from or written to. */
struct folded_side {
	bool is_there;
	int64_t fd;
	const struct fd_followed *file; /* NULL: not known */
};

/* A call with its arguments resolved, by the state before the call. */
struct folded_call {
	struct call_fold *fold;
	const struct syscalls_call *call;
	const struct syscall_row *row; /* also set for an unknown call */
	struct process_id process;
	bool has_returned; /* the call returned; otherwise the members below are unset */
	bool is_error;
	unsigned error; /* positive errno */
	bool has_fd;	/* argument 0 is a descriptor */
	int64_t fd;
	const struct fd_followed *file; /* the file that `fd` refers to; NULL: none, or unknown */
	struct folded_side from, to;	/* descriptors that bytes move between */
	uint64_t bytes;			/* bytes that were moved */
};

struct call_fold_consumer {
	/* Called for each record, calls included, before its effect. NULL: not needed. */
	int (*record)(void *state, const struct sooth_record *r, struct sooth_error *err);
	/* Called for each call before its effect on descriptors, and after it. `after` NULL: not
	 * needed. */
	int (*call)(void *state, struct folded_call *c, struct sooth_error *err);
	int (*after)(void *state, struct folded_call *c, struct sooth_error *err);
};

struct call_fold {
	struct fd_follow fds;
	struct call_backlog backlog;
	const struct call_fold_consumer *consumer;
	void *state;
	struct buffer path, second_path; /* paths of the current call */
};

/* call_fold_fini() accepts a zeroed struct. */
void call_fold_init(struct call_fold *f, const struct call_fold_consumer *consumer, void *state);
void call_fold_fini(struct call_fold *f);
/* Makes calls not wait for snapshots, because no snapshots will come. */
void call_fold_begin_at_once(struct call_fold *f);
int call_fold_push(struct call_fold *f, const struct batch *batch, struct sooth_error *err);
/* Returns whether the record is a call, or is about descriptors. Other records, which are many,
 * need not be pushed. */
bool call_fold_follows(const struct sooth_record *r);
int call_fold_record(struct call_fold *f, const struct sooth_record *r, struct sooth_error *err);
/* Ends the input: handles records that still wait for a snapshot, without the snapshot. */
int call_fold_end(struct call_fold *f, struct sooth_error *err);

/* Returns the first path among the call's arguments, from the root where its beginning is known;
 * not escaped; valid until the next call. `*state` is absent if there is none. */
struct span folded_path(struct folded_call *c, uint8_t *state);
/* Returns the second path among the arguments; empty: none, or not readable. */
struct span folded_second_path(struct folded_call *c);
/* Returns whether the first path is empty, so that the call is about a descriptor
 * (AT_EMPTY_PATH). */
bool folded_path_is_descriptor(const struct folded_call *c);
/* Writes the peer of a call on a socket to `out`; empty: none, or unknown. A stream socket has its
 * connected peer, whatever the call names. */
void folded_peer(
	const struct folded_call *c, const struct fd_followed *socket, char out[FD_FOLLOW_ADDRESS]);
/* Returns the flags of a call that opens a file, also of creat(2) and openat2(2). */
uint64_t folded_open_flags(const struct folded_call *c);
/* Returns whether the call opens a file, and creates it if it does not exist. */
bool folded_makes_file(const struct folded_call *c);

enum folded_task {
	FOLDED_TASK_NONE,
	FOLDED_TASK_PROCESS,
	FOLDED_TASK_THREAD,
	FOLDED_TASK_UNKNOWN, /* a process or a thread: unknown which */
};

/* Returns what the call has started. */
enum folded_task folded_started(const struct folded_call *c);

/* Returns the first descriptor that a polling call found ready, and its events; -1: none. With
 * epoll the number in the event is used if a descriptor of that number is open: libraries put the
 * descriptor there. */
int32_t call_ready_fd(const struct folded_call *call, uint32_t *events);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The meaning of each descriptor of each process, as calls go by: from a snapshot at the start, and
 * from then on by what open, close, dup, socket, connect, accept, pipe, fcntl, fork and exec
 * do. Live or from a capture, it takes records only.
 *
 * Cannot be seen: descriptors that came by SCM_RIGHTS or pidfd_getfd(2), those of processes
 * that share a table without being threads (CLONE_FILES), and whatever was lost from the
 * stream. Such a descriptor is reported as unknown.
 */
#pragma once

#include "analyze/records.h"
#include "base/map.h"
#include "probes/fds.h"
#include "probes/syscalls.h"

#define FD_FOLLOW_PROTOCOL 12
#define FD_FOLLOW_ADDRESS  112 /* a unix path of 108 bytes has no NUL */
#define FD_FOLLOW_ARROW	   "→" /* between the two ends of a connection */

enum fd_followed_kind {
	FD_FOLLOWED_FILE,
	FD_FOLLOWED_DIRECTORY,
	FD_FOLLOWED_PIPE,
	FD_FOLLOWED_SOCKET,
	FD_FOLLOWED_TERMINAL,
	FD_FOLLOWED_OTHER,
};

struct fd_followed {
	uint8_t kind; /* enum fd_followed_kind */
	bool closes_on_exec;
	bool is_listening;
	bool is_read; /* the descriptor is known from a snapshot, not from a call since then */
	char protocol[FD_FOLLOW_PROTOCOL]; /* protocol of a socket: "TCP", "UDP6", "UNIX" */
	char local[FD_FOLLOW_ADDRESS],
		peer[FD_FOLLOW_ADDRESS]; /* addresses, not escaped; empty: not known */
	char *name; /* owned, not escaped: a path, "pipe:[7]", "eventfd"; NULL for a socket */
};

struct fd_follow {
	struct map tables; /* process_id -> struct of fd_follow.c */
	uint64_t entries;  /* descriptors in all tables */
	uint64_t refused;  /* entries beyond the bound */
};

void fd_follow_init(struct fd_follow *f);
void fd_follow_fini(struct fd_follow *f);
/* Takes any record except a call; fd_follow_add_record() passes such records on. */
void fd_follow_add_state(struct fd_follow *f, const struct sooth_record *r);
/* Forgets descriptors known from calls, because calls that change descriptors were not recorded.
 * Descriptors from a snapshot remain: most of them stay open. */
void fd_follow_gap(struct fd_follow *f, const struct process_id *process);
/* Returns what the descriptor refers to; NULL: not known. */
const struct fd_followed *fd_follow_get(
	const struct fd_follow *f, const struct process_id *process, int64_t fd);
/* Appends "/etc/passwd", "TCP 10.0.0.2:5000→160.79.104.10:443" or "?"; not escaped. */
void fd_follow_put(const struct fd_follow *f, const struct process_id *process, int64_t fd,
	struct buffer *out);
/* Writes a socket: "TCP 10.0.0.2:5000→160.79.104.10:443"; not escaped. */
void fd_followed_connection(const struct fd_followed *known, char *out, size_t size);
/* Returns the name of the process; empty: not known. */
struct span fd_follow_process(const struct fd_follow *f, const struct process_id *process);
/* Sets `out` to the command line of the process's last exec, masked, with NULs between the
 * arguments. False: not known. */
bool fd_follow_arguments(
	const struct fd_follow *f, const struct process_id *process, struct span *out);
bool fd_follow_arguments_are_cut(const struct fd_follow *f, const struct process_id *process);
/* Returns the working directory; empty: not known. */
struct span fd_follow_directory(const struct fd_follow *f, const struct process_id *process);
/* Returns whether a call has changed the working directory, even if the new one is not known. */
bool fd_follow_has_moved(const struct fd_follow *f, const struct process_id *process);
/* Appends a path among a call's arguments, relative to `directory` (a descriptor, or AT_FDCWD). It
 * is absolute where that directory is known. It keeps "..": only the kernel knows where these lead
 * past a link. Not escaped. */
void fd_follow_resolve(const struct fd_follow *f, const struct process_id *process,
	int64_t directory, struct span path, struct buffer *out);

/* --- for the effects of calls --- */

struct fd_table {
	struct map fds;	 /* uint32_t fd -> struct fd_followed; key size 0: not initialized */
	char *directory; /* owned; NULL: not known */
	char *arguments; /* owned; NULL: not known */
	size_t arguments_size;
	bool arguments_are_cut;
	char name[16];		   /* name of the process; empty: not known */
	bool has_fds, has_sockets; /* a snapshot came; later ones are ignored: calls are newer */
	bool has_moved;		   /* a call changed the directory, maybe to an unknown one */
};

/* Returns the table of a process, and makes it for a new one; NULL: no memory. */
struct fd_table *fd_follow_table(struct fd_follow *f, const struct process_id *process);
/* Sets what a descriptor refers to; NULL: no memory, or over the bound. */
struct fd_followed *fd_follow_set(
	struct fd_follow *f, struct fd_table *t, int64_t fd, enum fd_followed_kind kind);
void fd_follow_close(struct fd_follow *f, struct fd_table *t, int64_t fd);
void fd_follow_copy(struct fd_follow *f, struct fd_table *t, int64_t to,
	const struct fd_followed *from, bool closes_on_exec);
void fd_follow_name(struct fd_followed *known, struct span name);

/* Takes any record. A call must be reported first, because its arguments refer to the state before
 * it. */
void fd_follow_add_record(struct fd_follow *f, const struct sooth_record *r);

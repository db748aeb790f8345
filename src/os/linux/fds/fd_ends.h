/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other ends: whose descriptors lead to the same pipe or FIFO, or to the peer of a
 * connected socket. Found by looking at the descriptors of every process.
 */
#ifndef SOOTH_OS_LINUX_FD_ENDS_H
#define SOOTH_OS_LINUX_FD_ENDS_H

#include "base/cursor.h"
#include "base/map.h"
#include "core/backend.h"

struct fd_end_key {
	uint64_t inode;
	uint64_t device; /* of a FIFO; 0: pipes and sockets are numbered together */
};

struct fd_end {
	uint64_t asked; /* inode of the descriptor that was asked about */
	uint32_t holders;
	uint32_t path_offset, path_size; /* of a FIFO, in fd_ends.paths */
};

struct fd_ends {
	struct map sockets; /* uint64_t inode of ours -> nothing */
	struct map held;    /* fd_end_key -> fd_end: what is looked for */
	struct buffer paths;
	bool has_fifos;
};

/* A descriptor that a process was found to have. */
struct fd_held {
	struct process_id holder;
	uint32_t fd;
	uint8_t access;
	char name[16];
	struct fd_end_key key;
};

void fd_ends_init(struct fd_ends *e);
void fd_ends_fini(struct fd_ends *e);
void fd_ends_clear(struct fd_ends *e);
void fd_ends_add_pipe(struct fd_ends *e, uint64_t inode);
void fd_ends_add_fifo(struct fd_ends *e, uint64_t inode, uint64_t device, struct span path);
void fd_ends_add_socket(struct fd_ends *e, uint64_t inode);
/* Settle what to look for: asks the kernel for the peers. 0, or a negative errno when these could
 * not be had. */
int fd_ends_prepare(struct fd_ends *e, int process, struct sooth_error *err);
/* Writes a holder; false when the bound for its inode is reached. */
bool fd_ends_emit(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of,
	const struct fd_held *held);
/* Whether every process can be looked at: in a pid namespace, or where /proc is mounted so, there
 * are some that nobody here sees. */
bool fd_ends_sees_all(const struct os *os);
/* Look through /proc and tell; the state of the holders. */
uint8_t fd_ends_search(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of);
/* The same through these processes (pid_t) alone. */
uint8_t fd_ends_search_in(struct fd_ends *e, struct backend_run *run, const struct sooth_record *of,
	const struct buffer *pids);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes have a pipe, socket or path open: an index of the descriptors of all processes,
 * made once for a sample.
 *
 * Cannot be seen: descriptors of processes that ptrace(2) would refuse.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

/* The link of a descriptor of a process that permits accesses to files (fanotify(7)), as a path. */
#define WAIT_END_GUARD "anon_inode:[fanotify]"

enum wait_end_kind { WAIT_END_PIPE, WAIT_END_SOCKET, WAIT_END_PATH };

struct wait_end {
	uint64_t key; /* the inode, or the hash of a path */
	uint32_t pid;
	uint32_t fd;
	uint32_t kind; /* enum wait_end_kind */
	uint32_t unused;
};

struct wait_ends {
	struct buffer entries; /* struct wait_end, sorted */
	struct buffer pids, text;
	bool is_read, was_refused, is_cut;
};

void wait_ends_fini(struct wait_ends *e);
void wait_ends_clear(struct wait_ends *e);
/* Returns the first end with that key. The `*count` ends with the key are one after the other. */
const struct wait_end *wait_ends_first(
	struct wait_ends *e, enum wait_end_kind kind, uint64_t key, size_t *count);
uint64_t wait_ends_hash_path(struct span path);
/* Return whether the descriptor was opened for reading, or for writing. */
bool wait_end_reads(const struct wait_end *end);
bool wait_end_writes(const struct wait_end *end);
/* Returns the enum sooth_state of the result: whether all processes could be read. */
uint8_t wait_ends_state(const struct wait_ends *e);

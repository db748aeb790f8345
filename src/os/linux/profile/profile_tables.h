/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind tables of sampled files, made by threads of their own: a large file takes seconds, and
 * the ring must be drained meanwhile. The kernel makes each that publishes a table wait for some
 * 15 ms, so several do. Each table is a BPF map that this side has mapped; its memory
 * is what it needs.
 */
#ifndef SOOTH_OS_LINUX_PROFILE_TABLES_H
#define SOOTH_OS_LINUX_PROFILE_TABLES_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/map.h"
#include "os/linux/profile/unwind_file.h"

#define PROFILE_ROWS_MAX (UINT64_C(16) << 20) /* of all tables: 128 MiB */

#define PROFILE_WORKERS 4

struct profile_tables;

struct profile_worker {
	struct profile_tables *tables;
	pthread_t thread;
	struct timeout timeout;
};

struct profile_tables {
	struct profile_worker workers[PROFILE_WORKERS];
	size_t worker_count;
	pthread_mutex_t lock; /* of the queue, the made ones and their rows, and `busy` */
	pthread_cond_t changed;
	unsigned busy; /* threads that make a table */
	atomic_bool is_stopping; /* read by the thread without the lock */
	int files, tables;	 /* BPF maps */
	struct buffer queue;	 /* struct profile_table_job */
	struct map made;	 /* key -> struct profile_made */
	uint64_t rows;
	atomic_uint_fast64_t refused; /* files whose table found no room */
	atomic_uint_fast64_t cut;     /* tables that are not whole */
};

int profile_tables_open(struct profile_tables *t, int files, int tables, struct sooth_error *err);
/* Makes the table of a file; keeps a copy of the descriptor. */
void profile_tables_add(struct profile_tables *t, uint64_t key, int file);
/* Waits until all tables are made that were added, or for so long. */
void profile_tables_wait(struct profile_tables *t, unsigned ms);
/* No file can be read: the walk goes on by the frame pointer. */
void profile_tables_none(struct profile_tables *t, uint64_t key);
/* Ends the threads; tables stay. */
void profile_tables_stop(struct profile_tables *t);
/* The start of the function at an offset of a file, by its unwind information. After the stop. */
bool profile_tables_entry(
	const struct profile_tables *t, uint64_t key, uint64_t offset, uint64_t *entry);
void profile_tables_close(struct profile_tables *t);

#endif

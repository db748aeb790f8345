/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind tables of sampled files. Separate threads make them, because a large file takes seconds
 * and the ring must be drained meanwhile. There are several threads, because the kernel makes each
 * one that publishes a table wait for some 15 ms. A table is a BPF map that sooth has mapped too;
 * it takes only the memory that it needs.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/map.h"
#include "os/linux/profile/unwind_file.h"

#define PROFILE_ROWS_MAX (UINT64_C(16) << 20) /* rows of all tables: 128 MiB */

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
	pthread_mutex_t lock; /* guards the queue, `made` with its rows, and `busy` */
	pthread_cond_t changed;
	unsigned busy;		 /* number of threads that are making a table */
	atomic_bool is_stopping; /* read by the thread without the lock */
	int files, tables;	 /* BPF maps */
	struct buffer queue;	 /* struct profile_table_job */
	struct map made;	 /* key -> struct profile_made */
	uint64_t rows;
	atomic_uint_fast64_t refused; /* files for whose table there was no room */
	atomic_uint_fast64_t cut;     /* tables that are incomplete */
};

int profile_tables_open(struct profile_tables *t, int files, int tables, struct sooth_error *err);
/* Makes the table of a file; keeps a copy of the descriptor. */
void profile_tables_add(struct profile_tables *t, uint64_t key, int file);
/* Waits until all added tables are made, at most `ms` milliseconds. */
void profile_tables_wait(struct profile_tables *t, unsigned ms);
/* Notes that a file cannot be read: the walk goes on by the frame pointer. */
void profile_tables_none(struct profile_tables *t, uint64_t key);
/* Ends the threads that make tables. The tables stay. */
void profile_tables_stop(struct profile_tables *t);
/* Finds the start of the function at an offset of a file, by its unwind information. Call this
 * after profile_tables_stop(). */
bool profile_tables_entry(
	const struct profile_tables *t, uint64_t key, uint64_t offset, uint64_t *entry);
void profile_tables_close(struct profile_tables *t);

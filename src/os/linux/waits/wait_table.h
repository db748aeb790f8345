/* SPDX-License-Identifier: BSD-2-Clause */
/* All processes of the host, as /proc/PID/stat has them: parents, states, names. */
#ifndef SOOTH_OS_LINUX_WAIT_TABLE_H
#define SOOTH_OS_LINUX_WAIT_TABLE_H

#include "os/linux/files/procfs.h"

struct wait_entry {
	uint64_t start_ticks;
	uint32_t pid, ppid, process_group, session;
	char state;
	char name[16];
};

struct wait_table {
	struct buffer entries; /* struct wait_entry, by pid */
	struct buffer pids, bytes;
	bool is_read;
};

void wait_table_fini(struct wait_table *t);
/* Forget all: the next one asking reads again. */
void wait_table_clear(struct wait_table *t);
size_t wait_table_count(struct wait_table *t);
const struct wait_entry *wait_table_at(struct wait_table *t, size_t i);
/* NULL: there is none. */
const struct wait_entry *wait_table_get(struct wait_table *t, uint32_t pid);
bool wait_table_is_ancestor(struct wait_table *t, uint32_t pid, uint32_t of);

#endif

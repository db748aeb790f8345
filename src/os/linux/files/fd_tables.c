/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of descriptors. */
#include "os/linux/files/fd_tables.h"

#include <linux/kcmp.h>
#include <assert.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS_MAX 65536 /* compared */

void fd_tables_fini(struct fd_tables *t)
{
	assert(t);
	buffer_fini(&t->tids);
	buffer_fini(&t->text);
}

/* Returns whether a table has any descriptor. A thread that exits has dropped its table: it differs
 * then, and is empty. */
static bool has_any(const struct process_snapshot *of, uint32_t tid)
{
	char name[32];
	uint64_t count = 0;

	snprintf(name, sizeof(name), "task/%u/fd", tid);
	return procfs_count(of->process, name, &count) >= 0 && count;
}

bool fd_tables_are_several(struct fd_tables *t, const struct process_snapshot *of, uint32_t tid)
{
	assert(t);

	int status = process_snapshot_threads(of, &t->tids, THREADS_MAX);
	const uint32_t *tids = (const void *)t->tids.data;

	for (size_t i = 0; status >= 0 && i < t->tids.size / sizeof(*tids); i++) {
		if (tids[i] != tid && syscall(SYS_kcmp, tid, tids[i], KCMP_FILES, 0, 0) > 0 &&
			has_any(of, tids[i]))
			return true;
	}
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot of a process's address space, as far as it does not depend on the source of its
 * mappings: identity, exact names, stacks, runtimes, the kernel's sums, the final record.
 */
#ifndef SOOTH_OS_LINUX_MAPS_SNAPSHOT_H
#define SOOTH_OS_LINUX_MAPS_SNAPSHOT_H

#include "base/map.h"
#include "core/backend.h"
#include "os/linux/files/timeout.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/programs/runtimes.h"
#include "os/linux/maps/smaps.h"

#define MAPS_REPORTED_MAX 262144 /* mappings per process; some 60 MB of records */

/* Kept from one snapshot to the next. */
struct maps_reader {
	struct timeout timeout;
	struct runtimes runtimes;
	struct buffer scratch, path, link;
};

struct maps_snapshot {
	struct backend_run *run;
	struct maps_reader *reader;
	struct process_snapshot who;
	struct maps_process end; /* its header is that of all records */
	struct runtimes_seen seen;
};

void maps_reader_init(struct maps_reader *r);
void maps_reader_fini(struct maps_reader *r);

/* False when there is nothing to read: it has ended, which is reported, or belongs to a user that
 * was not requested. Otherwise call maps_snapshot_end(). */
bool maps_snapshot_begin(struct maps_snapshot *m, struct backend_run *run, struct maps_reader *r,
	pid_t pid, const struct process_id *expected);
/* From any source: the name is complete, without " (deleted)". False when no more are accepted. */
bool maps_snapshot_put(
	struct maps_snapshot *m, const struct maps_mapping *mapping, struct span path);
/* Mappings from /proc: with their sizes if `with_values`. */
void maps_snapshot_from_proc(struct maps_snapshot *m, bool with_values);
/* Stacks, runtimes, sums, and the end of the snapshot. */
void maps_snapshot_end(struct maps_snapshot *m);

#endif

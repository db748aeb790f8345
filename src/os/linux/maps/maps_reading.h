/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One reading of a process's address space, as far as it does not matter where its
 * mappings come from: who it is, names made exact, stacks, runtimes, the sums that
 * the kernel keeps, the record that ends it.
 */
#ifndef SOOTH_OS_LINUX_MAPS_READING_H
#define SOOTH_OS_LINUX_MAPS_READING_H

#include "base/map.h"
#include "core/backend.h"
#include "os/linux/files/patience.h"
#include "os/linux/files/reading.h"
#include "os/linux/programs/runtimes.h"
#include "os/linux/maps/smaps.h"

#define MAPS_TOLD_MAX 262144 /* mappings of a process; some 60 MB of records */

/* What lasts from one reading to the next. */
struct maps_reader {
	struct patience patience;
	struct runtimes runtimes;
	struct buffer scratch, path, link;
};

struct maps_reading {
	struct backend_run *run;
	struct maps_reader *reader;
	struct reading who;
	struct maps_process end; /* its head is that of all records */
	struct runtimes_seen seen;
};

void maps_reader_init(struct maps_reader *r);
void maps_reader_fini(struct maps_reader *r);

/* False when there is nothing to read: it has ended, which is told, or is of another user than is
 * asked for. Else maps_reading_end() must follow. */
bool maps_reading_begin(struct maps_reading *m, struct backend_run *run, struct maps_reader *r,
	pid_t pid, const struct process_id *expected);
/* Of any origin: the name is as it is, without " (deleted)". False when no more are taken. */
bool maps_reading_put(struct maps_reading *m, const struct maps_mapping *mapping, struct span path);
/* Mappings from /proc: their figures too when `with_figures`. */
void maps_reading_from_proc(struct maps_reading *m, bool with_figures);
/* Stacks, runtimes, sums, and the end of the reading. */
void maps_reading_end(struct maps_reading *m);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* A feed: one kind of records, recorded while there is a reader; all readers get the same
 * lines. */
#pragma once

#include <sooth/observer.h>
#include <sooth/report.h>

#include "analyze/fleet/fleet.h"
#include "base/map.h"
#include "cli/monitor/feed_unseen.h"
#include "cli/monitor/line_queue.h"
#include "cli/monitor/monitor_lines.h"
#include "cli/selected/target_found.h"
#include "model/filter.h"

enum feed_id { FEED_SYSCALLS, FEED_SCHEDULER, FEED_API_CALLS, FEEDS };

#define FEED_READERS_MAX 64

struct feed_reader {
	struct line_queue *queue;
	struct filter *filter; /* NULL: every record; else only records that have its fields */
};

struct feed {
	enum feed_id id;
	struct sooth_observer *observer; /* NULL: nothing is attached */
	struct sooth_report *report;
	struct map pids;    /* set of uint32_t: observed processes */
	struct map *hidden; /* set of uint32_t: readers of all feeds; borrowed; see feed_hide() */
	bool is_of_all;
	const struct feed *share; /* feed whose observer is shared if it is attached; NULL: none */
	const char *folder;	  /* folder of the FIFOs; borrowed */
	uint64_t buffer_bytes;	  /* size of the buffer between kernel and sooth; 0: the default */
	uint64_t max_overhead_percent; /* of the CPU time of the processes */
	struct buffer line;	       /* the current line */
	/* Writes the queued lines: a batch may have more lines than the queue holds. NULL: not
	 * needed. */
	void (*drain)(void *user, struct line_queue *queue);
	void *user;
	struct feed_reader readers[FEED_READERS_MAX];
	size_t reader_count;
	struct fleet *fleet; /* gets API calls and losses, also without a reader; NULL: none */
	uint64_t start_ns;   /* of the observer */
	uint64_t records;    /* records written to readers so far */
	struct feed_unseen unseen;
	bool is_paused;
	bool is_ending;		    /* later records are not written to readers */
	struct monitor_phase phase; /* the phase that began last */
};

const char *feed_name(enum feed_id id);
/* Returns 0 if sooth may record what the feed needs, else the error. Attaches nothing. */
int feed_test(enum feed_id id, struct sooth_error *err);
/* Returns the feed of that name; FEEDS: there is none. */
enum feed_id feed_find(const char *name, size_t size);
/* Returns the schemas of the feed's records; NULL at the end. */
const struct sooth_schema *const *feed_schemas(enum feed_id id);

void feed_init(struct feed *f, enum feed_id id, const char *folder, struct map *hidden);
void feed_fini(struct feed *f);
/* Adds a reader; `queue` and `filter` are borrowed until it is removed. -ENOSPC: there are too
 * many. */
int feed_add_reader(struct feed *f, struct line_queue *queue, struct filter *filter);
void feed_remove_reader(struct feed *f, const struct line_queue *queue);
/* Attaches to the processes. With count 0 nothing is attached, and the feed may be started later.
 */
int feed_start(struct feed *f, const uint32_t *pids, size_t count, struct sooth_error *err);
/* Attaches to every process of the host or of a user, also to later ones: feed_add() is not
 * needed. */
int feed_start_all(struct feed *f, const struct target_found *whole, struct sooth_error *err);
/* Hides the calls of a reader: reading the feed would produce new records. The calls of FIFO
 * readers identify them; the caller passes readers of the socket. */
void feed_hide(struct feed *f, uint32_t pid);
/* Adds new processes; ones that are gone by now are skipped. */
void feed_add(struct feed *f, const uint32_t *pids, size_t count);
/* Observes for up to `timeout_ms`. The feed ends when all its processes have ended. */
int feed_step(struct feed *f, int timeout_ms, struct sooth_error *err);
/* Pauses or resumes the records, also for later attaches. */
int feed_pause(struct feed *f, bool is_paused, struct sooth_error *err);
/* Adds a line to the records: a phase of the targets begins. */
int feed_mark(struct feed *f, const char *name, struct sooth_error *err);
/* Queues the state for a new reader: the current phase, and the processes with incomplete
 * records. */
void feed_put_state(const struct feed *f, struct line_queue *queue);
/* Queues the reason why no records come. */
void feed_note(struct feed *f, const char *reason);

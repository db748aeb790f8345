/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of one kind: what is attached while there is a reader, and the lines that all of them
 * get. */
#ifndef SOOTH_CLI_FEED_H
#define SOOTH_CLI_FEED_H

#include <sooth/observer.h>
#include <sooth/report.h>

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
	struct filter *filter; /* NULL: every record; else only those that have its fields */
};

struct feed {
	enum feed_id id;
	struct sooth_observer *observer; /* NULL: nothing is attached */
	struct sooth_report *report;
	struct map pids; /* uint32_t -> nothing: observed ones */
	struct map
		*hidden; /* uint32_t -> nothing: readers, of all feeds; borrowed; see feed_hide() */
	bool is_of_all;
	const struct feed
		*share;	       /* its source of calls is used, where it is attached; NULL: none */
	const char *folder;    /* of the FIFOs; borrowed */
	uint64_t buffer_bytes; /* between the kernel and sooth; 0: the default */
	struct buffer line;    /* at hand */
	/* Writes what waits in the queue: a batch may hold more than it does. NULL: nothing does.
	 */
	void (*drain)(void *user, struct line_queue *queue);
	void *user;
	struct feed_reader readers[FEED_READERS_MAX];
	size_t reader_count;
	uint64_t records; /* made for readers */
	struct feed_unseen unseen;
	bool is_paused;
	bool is_ending;		    /* what still comes is not handed out */
	struct monitor_phase phase; /* that began last */
};

const char *feed_name(enum feed_id id);
/* FEEDS: there is none of that name. */
enum feed_id feed_find(const char *name, size_t size);
/* The tables of its records, NULL at the end. */
const struct sooth_schema *const *feed_schemas(enum feed_id id);

void feed_init(struct feed *f, enum feed_id id, const char *folder, struct map *hidden);
void feed_fini(struct feed *f);
/* Both are borrowed until it is removed. -ENOSPC. */
int feed_add_reader(struct feed *f, struct line_queue *queue, struct filter *filter);
void feed_remove_reader(struct feed *f, const struct line_queue *queue);
/* Attaches to the processes; without one nothing is, and it may be started again. */
int feed_start(struct feed *f, const uint32_t *pids, size_t count, struct sooth_error *err);
/* Attaches to every process of the host or of a user, also to later ones: feed_add() is not
 * needed. */
int feed_start_all(struct feed *f, const struct target_found *whole, struct sooth_error *err);
/* Hides a reader of the feed: its own calls to read the records would be among them. Readers of a
 * FIFO are found by their calls, readers of the socket are named here. */
void feed_hide(struct feed *f, uint32_t pid);
/* Adds the processes that are new, without those that are gone by now. */
void feed_add(struct feed *f, const uint32_t *pids, size_t count);
/* Observes for up to `timeout_ms`. The feed ends when all its processes have ended. */
int feed_step(struct feed *f, int timeout_ms, struct sooth_error *err);
/* Pauses or resumes the records, also of what is attached later. */
int feed_pause(struct feed *f, bool is_paused, struct sooth_error *err);
/* A phase of the targets begins: a line among the records. */
int feed_mark(struct feed *f, const char *name, struct sooth_error *err);
/* Queues the state for a new reader: the phase that began last, and which processes are not seen in
 * full. */
void feed_put_state(const struct feed *f, struct line_queue *queue);
/* Queues a reason why no records come. */
void feed_note(struct feed *f, const char *reason);

#endif

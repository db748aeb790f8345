/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of one kind for a reader: what is attached while there is one, and the lines it makes. */
#ifndef SOOTH_CLI_FEED_H
#define SOOTH_CLI_FEED_H

#include <sooth/observer.h>
#include <sooth/report.h>

#include "base/map.h"
#include "cli/monitor/line_queue.h"

enum feed_id { FEED_SYSCALLS, FEED_SCHEDULER, FEED_API_CALLS, FEEDS };

struct feed {
	enum feed_id id;
	struct sooth_observer *observer; /* NULL: nothing is attached */
	struct sooth_report *report;
	struct map pids; /* uint32_t -> nothing: observed ones */
	struct line_queue queue;
};

const char *feed_name(enum feed_id id);
/* 0 or a negative errno. */
int feed_init(struct feed *f, enum feed_id id);
void feed_fini(struct feed *f);
/* Attaches to the processes; without one nothing is, and it may be started again. */
int feed_start(struct feed *f, const uint32_t *pids, size_t count, struct sooth_error *err);
/* Those that are new; one that is gone by now is none. */
void feed_add(struct feed *f, const uint32_t *pids, size_t count);
/* Up to `timeout_ms`. The end of all its processes ends it. */
int feed_step(struct feed *f, int timeout_ms, struct sooth_error *err);
void feed_stop(struct feed *f);

#endif

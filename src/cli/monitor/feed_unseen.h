/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes whose records are incomplete, because they use io_uring. Each reader gets one line
 * about each. */
#pragma once

#include <stdbool.h>

#include <sooth/record.h>

#include "base/map.h"
#include "cli/monitor/line_queue.h"

struct feed_unseen {
	bool only_network;    /* of the io_uring requests only network requests count */
	const char *reason;   /* printed after the process */
	struct map processes; /* set of struct process_id */
};

/* Begins; `reason` is borrowed. */
void feed_unseen_init(struct feed_unseen *u, bool only_network, const char *reason);
void feed_unseen_fini(struct feed_unseen *u);
/* Handles a record of any kind. True: its process was added. */
bool feed_unseen_add_record(struct feed_unseen *u, const struct sooth_record *record);
void feed_unseen_put(const struct feed_unseen *u, uint32_t pid, struct line_queue *queue);
/* Queues a line about each of these processes, for a new reader. */
void feed_unseen_put_all(const struct feed_unseen *u, struct line_queue *queue);

/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes of which a kind of record is not complete, because they ask the kernel through
 * io_uring: each reader learns of each once. */
#ifndef SOOTH_CLI_FEED_UNSEEN_H
#define SOOTH_CLI_FEED_UNSEEN_H

#include <stdbool.h>

#include <sooth/record.h>

#include "base/map.h"
#include "cli/monitor/line_queue.h"

struct feed_unseen {
	bool only_network;    /* other requests do not matter */
	const char *reason;   /* printed behind the process */
	struct map processes; /* struct process_id -> nothing */
};

/* `reason` is borrowed. */
void feed_unseen_init(struct feed_unseen *u, bool only_network, const char *reason);
void feed_unseen_fini(struct feed_unseen *u);
/* Takes any record. True: the process has become one of these. */
bool feed_unseen_add_record(struct feed_unseen *u, const struct sooth_record *record);
void feed_unseen_put(const struct feed_unseen *u, uint32_t pid, struct line_queue *queue);
/* Queues for a new reader all processes that are not seen in full. */
void feed_unseen_put_all(const struct feed_unseen *u, struct line_queue *queue);

#endif

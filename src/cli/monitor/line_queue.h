/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of JSON on their way to one reader: numbered, bounded, none longer than what a pipe takes
 * at once. A line that has no room is lost and counted, and the next one that has room comes behind
 * a record of the loss.
 */
#ifndef SOOTH_CLI_LINE_QUEUE_H
#define SOOTH_CLI_LINE_QUEUE_H

#include <stdbool.h>

#include "base/buffer.h"

/* Unless another size is selected. A program that starts makes 4 MiB in a tenth of a second. */
#define LINE_QUEUE_BYTES (8u << 20)
#define LINE_QUEUE_LINE	 4096 /* PIPE_BUF of Linux: such a write is atomic */

/* Zeroed is valid. */
struct line_queue {
	struct buffer lines;
	size_t most;	 /* bytes of them; 0: LINE_QUEUE_BYTES */
	size_t begin;	 /* of the lines that are still to be written */
	uint64_t number; /* of the last line, lost ones counted */
	uint64_t lost;	 /* since the last record of a loss */
	const char *lost_why;
	uint64_t
		retry_ns; /* its reader took nothing: line_queue_is_filling() is false until then */
};

void line_queue_fini(struct line_queue *q);
/* Another reader: what waits is not for it. `what`: the kinds of records that follow. */
void line_queue_begin(struct line_queue *q, const char *what);
/* An object of JSON, without a newline. */
void line_queue_put(struct line_queue *q, const char *line, size_t size);
/* Records that were lost before the queue; `records` 0: none come, for that reason. `pid` 0: of no
 * single process. */
void line_queue_put_loss(struct line_queue *q, uint64_t records, uint32_t pid, const char *reason,
	size_t reason_size);
/* Returns whether the queue is half full: then it is to be written before more comes. */
bool line_queue_is_filling(const struct line_queue *q);
/*
 * Whole lines. A reader that takes what there is gets some time for the rest: what a pipe or a
 * socket holds at once is a fraction of what comes in between. A reader that took nothing the last
 * time gets no time: *is_stuck. 0 or -EPIPE: the reader is gone.
 */
int line_queue_write_all(struct line_queue *q, int fd, bool *is_stuck);

#endif

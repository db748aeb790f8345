/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/line_queue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/units.h"
#include "cli/monitor/monitor_lines.h"

#define TOO_SLOW "the reader is slower than the records come"
#define TOO_LONG "longer than a pipe takes at once (4096 bytes)"

#define NUMBER_BYTES 32 /* bytes of "seq" and the newline */

#define TAKE_MS	   10 /* pause until the next part can be written */
#define TAKES_MOST 8

static size_t queue_limit(const struct line_queue *q)
{
	return q->most ? q->most : LINE_QUEUE_BYTES;
}

static bool has_room(const struct line_queue *q, size_t size)
{
	return q->lines.size - q->begin + size <= queue_limit(q);
}

bool line_queue_is_filling(const struct line_queue *q)
{
	return q->lines.size - q->begin > queue_limit(q) / 2 &&
	       (!q->retry_ns || clock_monotonic_ns() >= q->retry_ns);
}

/* Appends a line, with its number as the first member. */
static void append_line(struct line_queue *q, const char *line, size_t size)
{
	buffer_format(&q->lines, "{\"seq\":%llu,", (unsigned long long)++q->number);
	buffer_append(&q->lines, line + 1, size - 1);
	buffer_char(&q->lines, '\n');
}

static void put_loss(
	struct line_queue *q, uint64_t records, uint32_t pid, const char *reason, size_t size)
{
	struct buffer line = { 0 };

	monitor_line_loss(&line, records, pid, reason, size);
	if (!buffer_failed(&line))
		append_line(q, (const char *)line.data, line.size);
	buffer_fini(&line);
}

static void put_own_loss(struct line_queue *q)
{
	if (q->lost)
		put_loss(q, q->lost, 0, q->lost_why, strlen(q->lost_why));
	q->lost = 0;
}

static void count_lost(struct line_queue *q, const char *why)
{
	q->lost++;
	q->lost_why = why;
}

void line_queue_fini(struct line_queue *q)
{
	buffer_fini(&q->lines);
}

void line_queue_put(struct line_queue *q, const char *line, size_t size)
{
	if (size < 2)
		return;
	if (NUMBER_BYTES + size > LINE_QUEUE_LINE) {
		q->number++;
		count_lost(q, TOO_LONG);
		return;
	}
	if (!has_room(q, NUMBER_BYTES + size + LINE_QUEUE_LINE)) {
		q->number++;
		count_lost(q, TOO_SLOW);
		return;
	}
	put_own_loss(q);
	append_line(q, line, size);
}

void line_queue_begin(struct line_queue *q, const char *what)
{
	struct buffer line = { 0 };

	buffer_reset(&q->lines);
	q->begin = q->number = q->lost = 0;
	monitor_line_begin(&line, what);
	if (!buffer_failed(&line))
		line_queue_put(q, (const char *)line.data, line.size);
	buffer_fini(&line);
}

void line_queue_put_loss(struct line_queue *q, uint64_t records, uint32_t pid, const char *reason,
	size_t reason_size)
{
	if (!has_room(q, 2 * LINE_QUEUE_LINE) || reason_size > LINE_QUEUE_LINE / 8)
		return;
	put_own_loss(q);
	put_loss(q, records, pid, reason, reason_size);
}

/* Returns how many bytes of whole lines a pipe takes at once. */
static size_t next_part(const struct line_queue *q)
{
	size_t left = q->lines.size - q->begin;
	size_t most = left < LINE_QUEUE_LINE ? left : LINE_QUEUE_LINE;
	const char *end = span_last(span_of((const char *)q->lines.data + q->begin, most), '\n');

	return end ? (size_t)(end - (const char *)(q->lines.data + q->begin)) + 1 : 0;
}

/* Removes written lines: otherwise the queue would grow while its reader never reads to the end. */
static void compact_lines(struct line_queue *q)
{
	size_t left = q->lines.size - q->begin;

	if (q->begin < left)
		return; /* not yet: moving the lines is expensive */
	memmove(q->lines.data, q->lines.data + q->begin, left);
	q->lines.size = left;
	q->begin = 0;
}

/* Writes lines. Returns 0: all; 1: some are left, as the write would have to wait; -EPIPE. */
static int write_ready(struct line_queue *q, int fd)
{
	size_t size;

	while ((size = next_part(q))) {
		ssize_t written = write(fd, q->lines.data + q->begin, size);

		if (written < 0 && errno != EAGAIN && errno != EINTR)
			return -EPIPE;
		if (written < 0) {
			compact_lines(q);
			return 1;
		}
		q->begin += (size_t)written;
	}
	buffer_reset(&q->lines);
	q->begin = 0;
	return 0;
}

int line_queue_write_all(struct line_queue *q, int fd, bool *is_stuck)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	int status = write_ready(q, fd);

	for (int i = 0; status > 0 && i < TAKES_MOST && !*is_stuck; i++) {
		*is_stuck = poll(&ready, 1, TAKE_MS) <= 0;
		status = write_ready(q, fd);
	}
	*is_stuck = status > 0 && *is_stuck;
	q->retry_ns = status > 0 ? clock_monotonic_ns() + TAKE_MS * NS_PER_MS : 0;
	return status < 0 ? status : 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/monitor/line_queue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"

#define TOO_SLOW "the reader is slower than the records come"
#define NOTES	 "{\"type\":\"end\"" /* of a report; a reader of a FIFO has none */
#define TOO_LONG "longer than a pipe takes at once (4096 bytes)"

static bool has_room(const struct line_queue *q, size_t size)
{
	return q->lines.size - q->begin + size <= LINE_QUEUE_BYTES;
}

static void put_loss(struct line_queue *q, uint64_t records, const char *reason, size_t size)
{
	buffer_format(&q->lines, "{\"seq\":%llu,\"type\":\"loss\",\"records\":%llu,\"reason\":\"",
		(unsigned long long)++q->number, (unsigned long long)records);
	escape_json(&q->lines, reason, size);
	buffer_string(&q->lines, "\"}\n");
}

static void put_own_loss(struct line_queue *q)
{
	if (q->lost)
		put_loss(q, q->lost, q->lost_why, strlen(q->lost_why));
	q->lost = 0;
}

static void lose(struct line_queue *q, const char *why)
{
	q->lost++;
	q->lost_why = why;
}

/* The number of a line comes first in it. */
static void take_line(struct line_queue *q, const char *line, size_t size)
{
	char number[40];
	int length;

	if (!size || *line != '{' || (size >= strlen(NOTES) && !memcmp(line, NOTES, strlen(NOTES))))
		return;
	length = snprintf(number, sizeof(number), "{\"seq\":%llu,",
		(unsigned long long)(q->number + 1 + (q->lost != 0)));
	if ((size_t)length + size > LINE_QUEUE_LINE) {
		q->number++;
		lose(q, TOO_LONG);
		return;
	}
	if (!has_room(q, (size_t)length + size + LINE_QUEUE_LINE)) {
		q->number++;
		lose(q, TOO_SLOW);
		return;
	}
	put_own_loss(q);
	q->number++;
	buffer_append(&q->lines, number, (size_t)length);
	buffer_append(&q->lines, line + 1, size - 1);
	buffer_char(&q->lines, '\n');
}

static ssize_t take(void *cookie, const char *data, size_t size)
{
	struct line_queue *q = cookie;
	size_t at = 0;

	while (at < size) {
		const char *end = memchr(data + at, '\n', size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;

		buffer_append(&q->partial, data + at, length);
		at += length + (end != NULL);
		if (!end)
			break;
		take_line(q, buffer_cstr(&q->partial), q->partial.size);
		buffer_reset(&q->partial);
	}
	return (ssize_t)size;
}

int line_queue_open(struct line_queue *q)
{
	*q = (struct line_queue){ 0 };
	q->stream = fopencookie(q, "w", (cookie_io_functions_t){ .write = take });
	return q->stream ? 0 : -ENOMEM;
}

void line_queue_close(struct line_queue *q)
{
	if (q->stream)
		fclose(q->stream);
	buffer_fini(&q->lines);
	buffer_fini(&q->partial);
	*q = (struct line_queue){ 0 };
}

void line_queue_begin(struct line_queue *q, const char *what)
{
	fflush(q->stream);
	buffer_reset(&q->lines);
	buffer_reset(&q->partial);
	q->begin = q->number = q->lost = 0;
	fprintf(q->stream, "{\"type\":\"begin\",\"records\":\"%s\",\"version\":1}\n", what);
	fflush(q->stream);
}

void line_queue_note_loss(
	struct line_queue *q, uint64_t records, const char *reason, size_t reason_size)
{
	fflush(q->stream);
	if (!has_room(q, 2 * LINE_QUEUE_LINE) || reason_size > LINE_QUEUE_LINE / 8)
		return;
	put_own_loss(q);
	put_loss(q, records, reason, reason_size);
}

/* Up to the end of the last line that a pipe takes at once with those before it. */
static size_t next_part(const struct line_queue *q)
{
	size_t left = q->lines.size - q->begin;
	size_t most = left < LINE_QUEUE_LINE ? left : LINE_QUEUE_LINE;
	const char *end = most ? memrchr(q->lines.data + q->begin, '\n', most) : NULL;

	return end ? (size_t)(end - (const char *)(q->lines.data + q->begin)) + 1 : 0;
}

int line_queue_write(struct line_queue *q, int fd)
{
	size_t size;

	fflush(q->stream);
	while ((size = next_part(q))) {
		ssize_t written = write(fd, q->lines.data + q->begin, size);

		if (written < 0)
			return errno == EAGAIN || errno == EINTR ? 1 : -EPIPE;
		q->begin += (size_t)written;
	}
	buffer_reset(&q->lines);
	q->begin = 0;
	return 0;
}

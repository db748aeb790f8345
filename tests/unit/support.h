/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of several unit tests: cmocka behind the headers that it needs, texts
 * kept in memory, seeded random numbers, and making records and blocks.
 */
#ifndef SOOTH_TESTS_SUPPORT_H
#define SOOTH_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/block.h"
#include "model/batch.h"
#include "model/stream_records.h"

/* splitmix64: every seed is a good one. */
static inline uint64_t random_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline uint64_t random_below(uint64_t *seed, uint64_t bound)
{
	return bound ? random_next(seed) % bound : 0;
}

/* A stream whose bytes stand in memory after text_close(). */
struct text {
	FILE *stream;
	char *data;
	size_t size;
};

static inline void text_open(struct text *t)
{
	*t = (struct text){ 0 };
	t->stream = open_memstream(&t->data, &t->size);
	assert_non_null(t->stream);
}

static inline const char *text_close(struct text *t)
{
	if (t->stream)
		fclose(t->stream);
	t->stream = NULL;
	return t->data;
}

static inline void text_free(struct text *t)
{
	text_close(t);
	free(t->data);
	t->data = NULL;
}

static inline bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* As assert_string_equal(), but shows where they part instead of both. */
static inline void assert_same_text(const char *a, const char *b)
{
	size_t at = 0;

	while (a[at] && a[at] == b[at])
		at++;
	if (a[at] != b[at])
		fail_msg("at %zu: \"%.80s\" and \"%.80s\"", at, a + at, b + at);
}

/* A record without fields: a tick, whose kind any reader knows. */
static inline void add_tick(struct buffer *out, uint64_t time_ns)
{
	struct stream_tick tick = {
		.record = { .time_ns = time_ns, .kind = STREAM_TICK, .cpu = SOOTH_CPU_NONE }
	};

	RECORD_APPEND(out, &tick, NULL, 0);
}

static inline void add_limit_note(struct buffer *out, uint64_t time_ns, const char *what)
{
	struct stream_limit limit = {
		.record = { .time_ns = time_ns, .kind = STREAM_LIMIT, .cpu = SOOTH_CPU_NONE }
	};
	struct record_tail tail[] = {
		{ &limit.what, what, strlen(what) },
		{ &limit.reason, "because", 7 },
		{ &limit.remedy, "", 0 },
	};

	RECORD_APPEND(out, &limit, tail, ARRAY_SIZE(tail));
}

static inline void add_leave(
	struct buffer *out, uint64_t time_ns, uint32_t pid, uint64_t start_ticks)
{
	struct process_leave leave = { .record = { .time_ns = time_ns,
					       .pid = pid,
					       .tid = pid,
					       .start_ticks = start_ticks,
					       .kind = PROCESS_LEAVE } };

	RECORD_APPEND(out, &leave, NULL, 0);
}

static inline struct block block_of(
	const struct buffer *records, enum block_type type, uint64_t watermark_ns)
{
	struct block block = { .header = { .type = (uint8_t)type, .watermark_ns = watermark_ns },
		.batch = { records->data, records->size } };

	block_describe(&block);
	return block;
}

#endif

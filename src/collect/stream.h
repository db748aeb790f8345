/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes blocks of records: the output of collecting. Each source has a buffer. A flush makes a
 * block of each buffer, and at last a block of the collector's own records, with the watermark.
 */
#pragma once

#include "capture/block.h"
#include "collect/secrets.h"

#define STREAM_SOURCES_MAX  24
#define STREAM_HANDLERS_MAX 4
#define STREAM_COLLECTOR    0 /* the source that is the collector itself */

struct stream {
	struct buffer sources[STREAM_SOURCES_MAX];
	struct {
		block_handler handler;
		void *user;
	} handlers[STREAM_HANDLERS_MAX];
	size_t handler_count;
	struct secrets secrets;
	uint64_t sequence;
	uint64_t records; /* records so far */
	uint64_t bytes;
};

/* Adds a consumer of blocks; consumers are called in the order of adding. */
int stream_connect(struct stream *s, block_handler handler, void *user, struct sooth_error *err);
/* Returns the buffer to which records of a source are appended. */
struct buffer *stream_source(struct stream *s, unsigned source);
/* Makes blocks of all waiting records. is_head: the collector's definitions go out as the head of a
 * segment. */
int stream_flush(struct stream *s, uint64_t watermark_ns, bool is_head, struct sooth_error *err);
void stream_fini(struct stream *s);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records into blocks: the collecting half's end. Each source has a buffer; a
 * flush makes a block of each and closes the cycle with one of the collector's
 * own, which carries the watermark.
 */
#ifndef SOOTH_COLLECT_STREAM_H
#define SOOTH_COLLECT_STREAM_H

#include "capture/block.h"
#include "collect/secrets.h"

#define STREAM_SOURCES_MAX  16
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
	uint64_t records; /* made so far */
	uint64_t bytes;
};

/* Consumers of blocks, called in the order they were added. */
int stream_connect(struct stream *s, block_handler handler, void *user, struct sooth_error *err);
/* Where records of a source are appended. */
struct buffer *stream_source(struct stream *s, unsigned source);
/* Blocks of everything waiting; the definitions among the collector's own go out as a segment's
 * head when is_head. */
int stream_flush(struct stream *s, uint64_t watermark_ns, bool is_head, struct sooth_error *err);
void stream_fini(struct stream *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Records into blocks; see stream.h. */
#include "collect/stream.h"

#include <assert.h>
#include <errno.h>

int stream_connect(struct stream *s, block_handler handler, void *user, struct sooth_error *err)
{
	if (s->handler_count == STREAM_HANDLERS_MAX)
		return error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "connect more than %d consumers",
			STREAM_HANDLERS_MAX);
	s->handlers[s->handler_count].handler = handler;
	s->handlers[s->handler_count++].user = user;
	return 0;
}

struct buffer *stream_source(struct stream *s, unsigned source)
{
	assert(s);
	return &s->sources[source];
}

static int emit_block(struct stream *s, struct block *block, struct sooth_error *err)
{
	int status = 0;

	block->header.sequence = s->sequence++;
	block_describe(block);
	s->records += block->header.records;
	s->bytes += sizeof(block->header) + block->header.raw_bytes;
	for (size_t i = 0; i < s->handler_count && !status; i++)
		status = s->handlers[i].handler(s->handlers[i].user, block, err);
	return status;
}

/* Returns the end of the whole records at `data` that fit the intended block size. */
static size_t block_end(const unsigned char *data, size_t size)
{
	struct batch all = { data, size };
	size_t end = 0;

	batch_for_each (r, &all) {
		if (end && end + record_bytes(r) > BLOCK_RAW_BYTES_AIM)
			break;
		end += record_bytes(r);
	}
	return end;
}

static int flush_source(struct stream *s, unsigned source, uint64_t watermark_ns, bool is_head,
	struct sooth_error *err)
{
	struct buffer *b = &s->sources[source];
	size_t at = 0;
	int status = 0;

	if (buffer_failed(b))
		return error_no_memory(err);
	secrets_mask(&s->secrets, b);
	if (buffer_failed(b))
		return error_no_memory(err);
	while (at < b->size && !status) {
		size_t end = at + block_end(b->data + at, b->size - at);
		struct block block = {
			.header = { .type = is_head ? BLOCK_SEGMENT : BLOCK_RECORDS,
				.source = source,
				.watermark_ns = end == b->size ? watermark_ns : 0 },
			.batch = { b->data + at, end - at },
		};

		status = emit_block(s, &block, err);
		at = end;
	}
	buffer_reset(b);
	return status;
}

int stream_flush(struct stream *s, uint64_t watermark_ns, bool is_head, struct sooth_error *err)
{
	int status = 0;

	for (unsigned i = 1; i < STREAM_SOURCES_MAX && !status; i++)
		status = flush_source(s, i, 0, false, err);
	return status ? status : flush_source(s, STREAM_COLLECTOR, watermark_ns, is_head, err);
}

void stream_fini(struct stream *s)
{
	for (unsigned i = 0; i < STREAM_SOURCES_MAX; i++)
		buffer_fini(&s->sources[i]);
	secrets_fini(&s->secrets);
}

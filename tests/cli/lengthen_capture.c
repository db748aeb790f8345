/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A long capture out of a short one: its records again and again, each time later, written by the
 * capture writer, so with its segments and indexes. For tests of what is in the middle of one, and
 * for bench/parts, whose captures take too long to record.
 *
 *     lengthen_capture IN OUT TIMES SEGMENT_BYTES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/writer.h"
#include "explain/time_range.h"
#include "model/probe.h"
#include "model/stream_records.h"

struct lengthen {
	struct capture_writer *writer;
	struct survey survey;
	uint64_t watermark_ns;
	uint64_t shift_ns;
	bool is_first, is_last;
};

static void die(const char *what, const struct sooth_error *err)
{
	fprintf(stderr, "lengthen_capture: %s: %s: %s\n", what, err->tried, err->why);
	exit(1);
}

static int look(void *user, const struct block *block, struct sooth_error *err)
{
	struct lengthen *l = user;

	(void)err;
	survey_block(&l->survey, block);
	if (block->header.watermark_ns > l->watermark_ns)
		l->watermark_ns = block->header.watermark_ns;
	return 0;
}

static bool stays_out(const struct lengthen *l, const struct sooth_record *r)
{
	if (r->kind == STREAM_BEGIN || r->kind == STREAM_SEGMENT)
		return !l->is_first;
	return (r->kind == STREAM_END || r->kind == STREAM_SELF) && !l->is_last;
}

/* All that is a time, not only when it happened. What came before the begin would come too late. */
static void make_later(const struct lengthen *l, struct sooth_record *r)
{
	const struct sooth_schema *schema = registry_schema(r->kind);
	uint64_t shift_ns = l->shift_ns, from_ns;

	if (!l->is_first && r->time_ns < l->survey.begin_ns)
		r->time_ns = l->survey.begin_ns;
	r->time_ns += shift_ns;
	if (!schema || (schema->time_span != SOOTH_TIME_SPAN_WINDOW &&
			       schema->time_span != SOOTH_TIME_SPAN_REACH))
		return;
	memcpy(&from_ns, r + 1, sizeof(from_ns));
	from_ns += from_ns ? shift_ns : 0;
	memcpy(r + 1, &from_ns, sizeof(from_ns));
}

static int again(void *user, const struct block *block, struct sooth_error *err)
{
	struct lengthen *l = user;
	struct buffer records = { 0 };
	struct block later = { .header = block->header };
	int status = 0;

	/* A repeated head: the writer makes its own, and as records its old times would be late. */
	if (block->header.type == BLOCK_SEGMENT && block->header.sequence)
		return 0;
	batch_for_each (r, &block->batch) {
		size_t at = records.size;

		if (stays_out(l, r))
			continue;
		buffer_append(&records, r, record_bytes(r));
		if (!records.failed)
			make_later(l, (void *)(records.data + at));
	}
	if (later.header.watermark_ns)
		later.header.watermark_ns += l->shift_ns;
	if (!l->is_first)
		later.header.type = BLOCK_RECORDS;
	later.batch = (struct batch){ records.data, records.size };
	block_describe(&later);
	if (records.size)
		status = capture_writer_block(l->writer, &later, err);
	buffer_fini(&records);
	return status;
}

static void load(struct buffer *to, const char *path)
{
	FILE *file = fopen(path, "rb");
	char bytes[65536];
	size_t got;

	if (!file) {
		perror(path);
		exit(1);
	}
	while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buffer_append(to, bytes, got);
	fclose(file);
}

static void read_all(const struct buffer *data, block_handler handler, struct lengthen *l)
{
	struct block_reader reader = { 0 };
	struct sooth_error err = { 0 };

	if (block_reader_feed(&reader, data->data, data->size, handler, l, &err))
		die("reading", &err);
	block_reader_fini(&reader);
}

int main(int argc, char **argv)
{
	struct capture_options options = { .codec = CODEC_ZSTD, .judge = time_range_classify };
	struct lengthen l = { 0 };
	struct sooth_error err = { 0 };
	struct buffer data = { 0 };
	unsigned long times;

	if (argc != 5) {
		fputs("usage: lengthen_capture IN OUT TIMES SEGMENT_BYTES\n", stderr);
		return 2;
	}
	times = strtoul(argv[3], NULL, 10);
	options.segment_bytes = strtoull(argv[4], NULL, 10);
	load(&data, argv[1]);
	read_all(&data, look, &l);
	if (capture_writer_open(&l.writer, argv[2], &options, &err))
		die("writing", &err);
	for (unsigned long i = 0; i < times; i++) {
		l.is_first = !i;
		l.is_last = i + 1 == times;
		l.shift_ns = i * ((l.watermark_ns > l.survey.last_ns ? l.watermark_ns
								     : l.survey.last_ns) -
					 l.survey.begin_ns);
		read_all(&data, again, &l);
	}
	if (capture_writer_finish(l.writer, &err))
		die("writing", &err);
	capture_writer_free(l.writer);
	survey_fini(&l.survey);
	buffer_fini(&data);
	return 0;
}

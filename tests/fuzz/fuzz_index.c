/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a file that is looked into for an index; and it is laid over a good index, by
 * exclusive or, in a file whose checksums are right all the same: so its lies come as far as lies
 * can. Whatever it says, only whole blocks of the file are read by it, and a part is told.
 */
#include <string.h>
#include <unistd.h>

#include "capture/capture_file.h"
#include "explain/report.h"
#include "fuzz.h"
#include "model/stream_records.h"

#define BLOCKS 6

static char path[] = "/tmp/fuzz_index.XXXXXX";
static int file = -1;

static void write_file(const void *data, size_t size)
{
	if (file < 0) {
		file = mkstemp(path);
		unlink(path);
		snprintf(path, sizeof(path), "/dev/fd/%d", file);
	}
	CHECK(file >= 0 && pwrite(file, data, size, 0) == (ssize_t)size);
	CHECK(!ftruncate(file, (off_t)size));
}

static int take(void *user, const struct block *block, struct sooth_error *err)
{
	(void)err;
	*(uint64_t *)user += block->header.records;
	return 0;
}

static bool is_even(void *user, const struct index_entry *e)
{
	(void)user;
	return e->records % 2 == 0;
}

/* What is chosen by an index are blocks, so nothing of it is skipped as something else. */
static void read_chosen(void)
{
	struct capture_file f;
	struct block_reader reader = { 0 };
	struct survey s = { 0 };
	struct sooth_error err;
	uint64_t records = 0;
	char bytes[61];
	ssize_t got;

	CHECK(!capture_file_open(&f, path, &err));
	CHECK(capture_file_survey(&f, &s) == capture_file_is_indexed(&f));
	if (capture_file_choose(&f, is_even, NULL)) {
		while ((got = capture_file_read(&f, bytes, sizeof(bytes), &err)) > 0)
			CHECK(!block_reader_feed(
				&reader, bytes, (size_t)got, take, &records, &err));
		CHECK(!got && !block_reader_finish(&reader, take, &records, &err));
		CHECK(s.has_gaps || (!reader.damaged_bytes && !reader.cut_bytes));
	}
	survey_fini(&s);
	block_reader_fini(&reader);
	capture_file_close(&f);
}

/* Begin and end are foreign data as well. */
static void emit_part(int64_t from_ns, int64_t to_ns)
{
	struct sooth_sink_options options = { .size = sizeof(options) };
	struct sooth_error err = { 0 };
	struct sooth_report *r;
	char *text = NULL;
	size_t size;

	options.stream = open_memstream(&text, &size);
	CHECK(options.stream);
	CHECK(!sooth_report_new(&r, "report", &err));
	CHECK(!sooth_report_add_sink(r, "json", &options, &err));
	sooth_report_add_default_views(r);
	CHECK(!sooth_report_between(r, from_ns, to_ns, &err));
	if (!sooth_report_read(r, path, &err))
		CHECK(!sooth_report_finish(r, &err) || err.fault == SOOTH_FAULT_USAGE);
	else
		CHECK(err.fault == SOOTH_FAULT_USAGE);
	sooth_report_free(r);
	fclose(options.stream);
	free(text);
}

static void try_file(const void *data, size_t size)
{
	write_file(data, size);
	read_chosen();
	emit_part(1, 20);
	emit_part(-20, INT64_MAX);
}

static void add_block(struct buffer *out, struct index_builder *index, uint64_t i)
{
	struct stream_end end = { .record = { .time_ns = 100 + 10 * i, .kind = STREAM_END } };
	struct stream_tick tick = { .record = { .time_ns = 100 + 10 * i, .kind = STREAM_TICK } };
	struct stream_begin begin = { .record = { .time_ns = 100, .kind = STREAM_BEGIN } };
	struct block block = { .header = { .type = i ? BLOCK_RECORDS : BLOCK_SEGMENT } };
	struct buffer records = { 0 };
	struct block_encoder encoder = { 0 };
	size_t at = out->size;

	if (!i)
		RECORD_APPEND(&records, &begin, NULL, 0);
	for (uint64_t k = 0; i && k < i; k++)
		RECORD_APPEND(&records, &tick, NULL, 0);
	if (i == BLOCKS - 1)
		RECORD_APPEND(&records, &end, NULL, 0);
	block.batch = (struct batch){ records.data, records.size };
	block_describe(&block);
	CHECK(!block_encode(&encoder, out, &block, CODEC_NONE, NULL));
	index_add_block(index, &block, out->size - at, time_range_classify);
	buffer_fini(&records);
}

/* A good capture; what its index says, but for what is laid over it, stands sealed behind it. */
static void try_laid_over(const uint8_t *data, size_t size)
{
	struct block block = { .header = { .type = BLOCK_INDEX } };
	struct buffer capture = { 0 }, index = { 0 };
	struct index_builder builder = { 0 };
	struct block_encoder encoder = { 0 };
	unsigned char *payload;
	size_t left;

	for (uint64_t i = 0; i < BLOCKS; i++)
		add_block(&capture, &builder, i);
	CHECK(!index_encode(&builder, &index, BLOCKS, NULL));
	payload = index.data + sizeof(struct block_header);
	left = index.size - sizeof(struct block_header);
	for (size_t i = 0; i < size && i < left; i++)
		payload[i] ^= data[i];
	block.batch = (struct batch){ payload, left };
	block.header.raw_bytes = (uint32_t)left;
	CHECK(!block_encode(&encoder, &capture, &block, CODEC_NONE, NULL));
	try_file(capture.data, capture.size);
	index_builder_fini(&builder);
	buffer_fini(&capture);
	buffer_fini(&index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct index_view v;

	if (index_parse(&v, data, size)) {
		struct survey s = { 0 };

		index_survey(&v, &s);
		survey_fini(&s);
	}
	try_file(data, size);
	try_laid_over(data, size);
	return 0;
}

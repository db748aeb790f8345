/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture with values that no kernel gives: in some records words of the fixed part are set to
 * the bounds of their types, some records are left out, or a whole kind. Checksums are good again,
 * so that the values reach what explains them. For tests/fuzz/reports.py.
 *
 *     change_capture IN OUT SEED PERCENT_OF_RECORDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/block.h"
#include "model/probe.h"

static const uint64_t extremes[] = { 0, 1, 2, 63, 64, 65, 0x7fffffff, 0x80000000, 0xffffffff,
	0x100000000, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX,
	0x7ff0000000000000 /* infinity */, 0x7ff8000000000000 /* no number */,
	0x7fefffffffffffff /* the largest */, 0xffefffffffffffff, 0x4330000000000000,
	1000000000ull * 3600 * 24 * 365 * 200 };

struct change {
	struct buffer out;
	struct block_encoder encoder;
	uint64_t random;
	unsigned percent;
	unsigned
		left_out; /* kinds of that number: a source that was not there; 16 and more: none */
};

static uint64_t next_random(struct change *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random * UINT64_C(0x2545f4914f6cdd1d);
}

/* A word behind the head of a record, or its time; its kind and size stay. */
static void change_record(struct change *c, struct sooth_record *r)
{
	const struct sooth_schema *schema = registry_schema(r->kind);
	size_t fixed = schema && schema->fixed_size <= record_bytes(r) ? schema->fixed_size
								       : record_bytes(r);
	size_t size = next_random(c) % 3 ? 8 : next_random(c) % 2 ? 4 : 1, at;
	uint64_t value = extremes[next_random(c) % (sizeof(extremes) / sizeof(extremes[0]))];

	if (fixed < sizeof(*r) + 8)
		return;
	if (!(next_random(c) % 16)) {
		r->time_ns = value;
		return;
	}
	at = sizeof(*r) + next_random(c) % ((fixed - sizeof(*r)) / size) * size;
	memcpy((char *)r + at, &value, size);
}

static int change_block(void *user, const struct block *block, struct sooth_error *err)
{
	struct change *c = user;
	struct buffer records = { 0 };
	struct block changed = { .header = block->header };
	int status;

	batch_for_each (r, &block->batch) {
		if (r->kind % 16 != c->left_out && next_random(c) % 100 >= c->percent / 4)
			buffer_append(&records, r, record_bytes(r));
	}
	changed.batch = (struct batch){ records.data, records.size };
	batch_for_each (r, &changed.batch) {
		struct sooth_record *to =
			(void *)(records.data + ((const char *)r - (const char *)records.data));
		unsigned char before[4096];
		size_t size = record_bytes(r);

		if (next_random(c) % 100 >= c->percent || size > sizeof(before))
			continue;
		memcpy(before, to, size);
		for (uint64_t n = 1 + next_random(c) % 3; n; n--)
			change_record(c, to);
		if (batch_check(&changed.batch) < 0) /* a text that is not in its record */
			memcpy(to, before, size);
	}
	block_describe(&changed);
	status = block_encode(&c->encoder, &c->out, &changed, CODEC_NONE, err);
	buffer_fini(&records);
	return status;
}

static void load(struct buffer *to, const char *path)
{
	FILE *file = fopen(path, "rb");
	char bytes[65536];
	size_t got;

	while (file && (got = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buffer_append(to, bytes, got);
	if (!file || fclose(file)) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	struct block_reader reader = { 0 };
	struct change c = { 0 };
	struct buffer data = { 0 };
	struct sooth_error err = { 0 };
	FILE *to;

	if (argc != 5) {
		fputs("usage: change_capture IN OUT SEED PERCENT_OF_RECORDS\n", stderr);
		return 2;
	}
	c.random = strtoull(argv[3], NULL, 10) * 2 + 1;
	c.percent = (unsigned)strtoul(argv[4], NULL, 10);
	for (unsigned i = 0; i < 8; i++)
		next_random(&c);
	c.left_out = next_random(&c) % 32;
	load(&data, argv[1]);
	if (block_reader_feed(&reader, data.data, data.size, change_block, &c, &err)) {
		fprintf(stderr, "change_capture: %s: %s\n", err.tried, err.why);
		return 1;
	}
	to = fopen(argv[2], "wb");
	if (!to || fwrite(c.out.data, 1, c.out.size, to) != c.out.size || fclose(to)) {
		perror(argv[2]);
		return 1;
	}
	block_reader_fini(&reader);
	block_encoder_fini(&c.encoder);
	buffer_fini(&c.out);
	buffer_fini(&data);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The capture writer keeps the bytes of every definition it has passed on; when a segment is full,
 * the next segment begins with them. Definitions of processes that have left are dropped then, so
 * weeks of starts and exits stay bounded.
 */
#include "capture/writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "model/process_id.h"
#include "model/stream_records.h"

#define SEGMENT_BYTES_DEFAULT (64u << 20)
#define DICTIONARY_BYTES_MAX  (12u << 20) /* size of the dictionary: one block holds it */
#define DEFINITIONS_MAX	      262144
#define LEFT_PROCESSES_MAX    65536

struct capture_writer {
	struct out_file file;
	struct capture_options options;
	struct block_encoder encoder;
	struct buffer bytes;
	struct buffer dictionary;
	struct map left; /* process_id of processes that left since the last segment */
	int64_t realtime_offset_ns;
	uint64_t segment_bytes;
	uint64_t total_bytes;
	uint64_t sequence;
	bool has_offset;
	struct map known;	/* definition_key of each definition in the dictionary */
	bool is_dictionary_cut; /* definitions did not fit */
	struct index_builder index;
};

struct definition_key {
	uint32_t crc;
	uint16_t kind;
	uint16_t words;
	uint32_t pid;
	uint32_t tid;
};

int capture_writer_open(struct capture_writer **out, const char *path,
	const struct capture_options *options, struct sooth_error *err)
{
	struct capture_writer *w = calloc(1, sizeof(*w));
	int status;

	if (!w)
		return error_no_memory(err);
	w->options = *options;
	if (!w->options.segment_bytes)
		w->options.segment_bytes = SEGMENT_BYTES_DEFAULT;
	w->dictionary.limit = DICTIONARY_BYTES_MAX;
	map_init(&w->left, sizeof(struct process_id), 0, LEFT_PROCESSES_MAX);
	map_init(&w->known, sizeof(struct definition_key), 0, DEFINITIONS_MAX);
	status = out_file_open(&w->file, path, false, err);
	if (status) {
		capture_writer_free(w);
		return status;
	}
	*out = w;
	return 0;
}

static int write_bytes(struct capture_writer *w, struct sooth_error *err)
{
	if (fwrite(w->bytes.data, 1, w->bytes.size, w->file.stream) != w->bytes.size)
		return error_errno(err, -errno, "write the capture");
	w->segment_bytes += w->bytes.size;
	w->total_bytes += w->bytes.size;
	return 0;
}

/* Writes the index, with the number of the next block: readers that skip indexes then miss none. */
static int write_index(struct capture_writer *w, struct sooth_error *err)
{
	int status;

	buffer_reset(&w->bytes);
	status = index_encode(&w->index, &w->bytes, w->sequence, err);
	return status || !w->bytes.size ? status : write_bytes(w, err);
}

static int write_block(struct capture_writer *w, const struct block *block, struct sooth_error *err)
{
	struct block copy = *block;
	int status;

	copy.header.sequence = w->sequence++;
	buffer_reset(&w->bytes);
	status = block_encode(&w->encoder, &w->bytes, &copy, w->options.codec, err);
	if (!status)
		status = write_bytes(w, err);
	if (status)
		return status;
	index_add_block(&w->index, &copy, w->bytes.size, w->options.judge);
	return w->index.entries.size / sizeof(struct index_entry) < INDEX_ENTRIES_MAX
		       ? 0
		       : write_index(w, err);
}

/* Keeps a definition once, though each exec records it again; its time does not count. */
static void learn_definition(struct capture_writer *w, const struct sooth_record *r)
{
	const unsigned char *behind_time = (const unsigned char *)r + sizeof(r->time_ns);
	size_t size = record_bytes(r) - sizeof(r->time_ns);
	struct definition_key key = { .crc = (uint32_t)crc32(0, behind_time, (uInt)size),
		.kind = r->kind,
		.words = r->words,
		.pid = r->pid,
		.tid = r->tid };
	bool is_new = true;

	if (map_put(&w->known, &key, &is_new) && !is_new)
		return;
	buffer_append(&w->dictionary, r, record_bytes(r));
	w->is_dictionary_cut |= buffer_failed(&w->dictionary);
}

static void dictionary_learn(struct capture_writer *w, const struct batch *batch)
{
	batch_for_each (r, batch) {
		if (r->kind & KIND_DEFINITION) {
			learn_definition(w, r);
		} else if (r->kind == PROCESS_LEAVE) {
			struct process_id id = process_id_of(r);

			map_put(&w->left, &id, NULL);
		} else if (r->kind == STREAM_TICK) {
			w->realtime_offset_ns = ((const struct stream_tick *)r)->realtime_offset_ns;
			w->has_offset = true;
		}
	}
}

static void dictionary_sweep(struct capture_writer *w)
{
	struct batch all = { w->dictionary.data, w->dictionary.size };
	struct buffer kept = { .limit = DICTIONARY_BYTES_MAX };

	batch_for_each (r, &all) {
		struct process_id id = process_id_of(r);
		size_t at = kept.size;

		if (map_get(&w->left, &id))
			continue;
		buffer_append(&kept, r, record_bytes(r));
		if (r->kind == STREAM_SEGMENT && w->has_offset && !kept.failed)
			((struct stream_segment *)(void *)(kept.data + at))->realtime_offset_ns =
				w->realtime_offset_ns;
	}
	buffer_fini(&w->dictionary);
	w->dictionary = kept;
	map_clear(&w->left);
	map_clear(&w->known);
}

static void emit_cut(struct capture_writer *w)
{
	static const char source[] = "capture";
	static const char reason[] = "the list of definitions in the capture was full";
	struct stream_loss loss = { .record = { .kind = STREAM_LOSS }, .records = 1 };
	struct record_tail tail[] = {
		{ &loss.source, source, sizeof(source) - 1 },
		{ &loss.reason, reason, sizeof(reason) - 1 },
	};

	w->dictionary.limit = 0; /* room for this record */
	RECORD_APPEND(&w->dictionary, &loss, tail, 2);
	w->dictionary.limit = DICTIONARY_BYTES_MAX;
	w->is_dictionary_cut = false;
}

static int segment_roll(struct capture_writer *w, struct sooth_error *err)
{
	/* The head has no watermark: it would promise that the next block has no earlier record. */
	struct block head = { .header = { .type = BLOCK_SEGMENT } };
	int status = write_index(w, err);

	if (status)
		return status;
	dictionary_sweep(w);
	if (w->is_dictionary_cut)
		emit_cut(w);
	w->segment_bytes = 0;
	head.batch = (struct batch){ w->dictionary.data, w->dictionary.size };
	block_describe(&head);
	return write_block(w, &head, err);
}

int capture_writer_block(
	struct capture_writer *w, const struct block *block, struct sooth_error *err)
{
	int status = 0;

	assert(w);
	assert(block);
	assert(batch_check(&block->batch) >= 0);
	if (w->segment_bytes >= w->options.segment_bytes)
		status = segment_roll(w, err);
	if (status)
		return status;
	dictionary_learn(w, &block->batch);
	return write_block(w, block, err);
}

int capture_writer_place(struct capture_writer *w, struct sooth_error *err)
{
	assert(w);
	return out_file_place(&w->file, err);
}

int capture_writer_finish(struct capture_writer *w, struct sooth_error *err)
{
	assert(w);

	int status = write_index(w, err);

	return status ? status : out_file_commit(&w->file, err);
}

uint64_t capture_writer_bytes(const struct capture_writer *w)
{
	return w->total_bytes;
}

void capture_writer_free(struct capture_writer *w)
{
	if (!w)
		return;
	out_file_close(&w->file);
	block_encoder_fini(&w->encoder);
	buffer_fini(&w->bytes);
	buffer_fini(&w->dictionary);
	map_fini(&w->left);
	map_fini(&w->known);
	index_builder_fini(&w->index);
	free(w);
}

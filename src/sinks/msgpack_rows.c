/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows as MessagePack maps in independent zstd frames with a fixed number of rows, as memtrack's
 * artifact has them. A member without a value is left out. The last frame is written at the end,
 * even if it is empty: a reader recognizes the file by its first frame.
 */
#include <errno.h>
#include <msgpack/pack.h>
#include <string.h>
#include <zstd.h>

#include "base/buffer.h"
#include "sinks/json_members.h"

#define FRAME_ROWS  65536
#define FRAME_LEVEL (-5) /* speed before size: rows come while their process waits */

struct msgpack_sink {
	FILE *stream;
	struct buffer raw, frame;
	msgpack_packer packer;
	size_t rows, frames;
};

static int append_bytes(void *user, const char *data, size_t size)
{
	buffer_append(user, data, size);
	return 0;
}

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct msgpack_sink *s = state;

	(void)err;
	s->stream = options->stream;
	msgpack_packer_init(&s->packer, &s->raw, append_bytes);
	return 0;
}

static int write_frame(struct msgpack_sink *s, struct sooth_error *err)
{
	size_t bound = ZSTD_compressBound(s->raw.size), size;

	buffer_reset(&s->frame);
	if (buffer_failed(&s->raw) || !buffer_zeros(&s->frame, bound))
		return error_no_memory(err);
	size = ZSTD_compress(s->frame.data, bound, s->raw.data, s->raw.size, FRAME_LEVEL);
	if (ZSTD_isError(size))
		return error_no_memory(err);
	if (fwrite(s->frame.data, 1, size, s->stream) != size || fflush(s->stream))
		return error_errno(err, -errno, "write MessagePack");
	buffer_reset(&s->raw);
	s->rows = 0;
	s->frames++;
	return 0;
}

static void pack_text(msgpack_packer *p, const char *text, size_t size)
{
	msgpack_pack_str(p, size);
	msgpack_pack_str_body(p, text, size);
}

static void pack_value(msgpack_packer *p, const struct sooth_field *f, const struct sooth_value *v)
{
	struct cell c = cell_of_value(f, v);

	switch (c.type) {
	case CELL_TEXT:
		pack_text(p, c.text, c.size);
		break;
	case CELL_SIGNED:
		msgpack_pack_int64(p, c.i);
		break;
	case CELL_REAL:
		msgpack_pack_double(p, c.f);
		break;
	case CELL_UNSIGNED:
	case CELL_BOOL:
		msgpack_pack_uint64(p, c.u);
		break;
	default: /* rows for this sink have no lists */
		msgpack_pack_nil(p);
	}
}

static void pack_row(
	struct msgpack_sink *s, const struct sooth_schema *schema, const struct sooth_record *r)
{
	size_t members = 0;

	for (size_t i = 0; i < schema->field_count; i++) {
		struct sooth_value v = sooth_field_get(&schema->fields[i], r);

		members += value_is_there(&v);
	}
	msgpack_pack_map(&s->packer, members);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct sooth_field *f = &schema->fields[i];
		struct sooth_value v = sooth_field_get(f, r);

		if (!value_is_there(&v))
			continue;
		pack_text(&s->packer, f->name, strlen(f->name));
		pack_value(&s->packer, f, &v);
	}
	s->rows++;
}

static int write_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct msgpack_sink *s = state;
	int status = 0;

	if (section->is_last)
		return 0;
	batch_for_each (r, batch) {
		pack_row(s, section->schema, r);
		if (!status && s->rows == FRAME_ROWS)
			status = write_frame(s, err);
	}
	return status;
}

static int end(void *state, struct sooth_error *err)
{
	struct msgpack_sink *s = state;

	return s->rows || !s->frames ? write_frame(s, err) : 0;
}

static void close_sink(void *state)
{
	struct msgpack_sink *s = state;

	buffer_fini(&s->raw);
	buffer_fini(&s->frame);
}

const struct sink_type sink_msgpack_rows = {
	.name = "msgpack-rows",
	.help = "MessagePack: rows only, in zstd frames, without notes",
	.is_unlisted = true,
	.state_size = sizeof(struct msgpack_sink),
	.open = open_sink,
	.rows = write_rows,
	.end = end,
	.close = close_sink,
};

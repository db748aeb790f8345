/* SPDX-License-Identifier: BSD-2-Clause */
/* The sink of the screen: it keeps the rows of a frame, and passes the frame on when it is
 * complete. */
#include "cli/top/frame.h"

#include <string.h>

#include "model/batch.h"
#include "model/field.h"

/* --- a frame --- */

const struct top_table *top_table_of(const struct top_frame *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!strcmp(f->tables[i].name, name))
			return &f->tables[i];
	}
	return NULL;
}

const struct sooth_record *top_row_of(const struct top_table *t)
{
	return t && t->records.size ? (const void *)t->records.data : NULL;
}

void top_frame_fini(struct top_frame *f)
{
	for (size_t i = 0; i < TOP_TABLES_MAX; i++)
		buffer_fini(&f->tables[i].records);
	f->count = 0;
}

bool top_frame_copy(struct top_frame *to, const struct top_frame *from)
{
	bool is_whole = true;

	to->count = from->count;
	to->seen_at = from->seen_at;
	for (size_t i = 0; i < from->count; i++) {
		struct top_table *t = &to->tables[i];
		struct buffer records = t->records;

		*t = from->tables[i];
		t->records = records;
		buffer_reset(&t->records);
		buffer_append(
			&t->records, from->tables[i].records.data, from->tables[i].records.size);
		is_whole = is_whole && !buffer_failed(&t->records);
	}
	return is_whole;
}

/* --- fields by name --- */

bool top_number(const struct sooth_schema *schema, const char *name, const struct sooth_record *r,
	double *out)
{
	struct sooth_value v = value_named(schema, r, name);

	if (!value_is_there(&v))
		return false;
	*out = v.type == SOOTH_FIELD_REAL     ? v.f
	       : v.type == SOOTH_FIELD_SIGNED ? (double)v.i
					      : (double)v.u;
	return true;
}

bool top_word(const struct sooth_schema *schema, const char *name, const struct sooth_record *r,
	char *out, size_t size)
{
	struct sooth_value v = value_named(schema, r, name);

	out[0] = '\0';
	if (value_is_there(&v))
		sooth_field_text(sooth_schema_field(schema, name), r, out, size);
	return value_is_there(&v);
}

/* --- the sink --- */

struct frame_sink {
	struct top_frames *frames;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct frame_sink *)state)->frames = options->user;
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct top_frames *f = ((struct frame_sink *)state)->frames;

	(void)head;
	(void)err;
	f->filling.count = 0;
	f->open = NULL;
	return 0;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct top_frames *f = ((struct frame_sink *)state)->frames;
	struct top_frame *frame = &f->filling;
	size_t at = 0;

	(void)err;
	f->open = NULL;
	/* The list comes before the tree, which alerts use. */
	while (at < frame->count && strcmp(frame->tables[at].name, section->name))
		at++;
	if (at == TOP_TABLES_MAX)
		return 0;
	frame->count += at == frame->count;
	f->open = &frame->tables[at];
	f->open->name = section->name;
	f->open->schema = section->schema;
	f->open->if_empty = NULL;
	buffer_reset(&f->open->records);
	return 0;
}

static int add_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct top_frames *f = ((struct frame_sink *)state)->frames;

	(void)section;
	(void)err;
	if (f->open)
		buffer_append(&f->open->records, batch->data, batch->size);
	return 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct top_frames *f = ((struct frame_sink *)state)->frames;

	(void)err;
	if (f->open)
		f->open->if_empty = section->if_empty;
	f->open = NULL;
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct top_frames *f = ((struct frame_sink *)state)->frames;

	(void)err;
	clock_gettime(CLOCK_REALTIME, &f->filling.seen_at);
	f->take(f->user, &f->filling);
	return 0;
}

const struct sink_type top_sink = {
	.name = "top",
	.help = "the screen of sooth top",
	.state_size = sizeof(struct frame_sink),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = add_rows,
	.section_end = section_end,
	.end = end,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* The sink of a screen: it keeps the rows of a frame, and shows them when it is complete. */
#include <string.h>

#include "cli/screen/screen_state.h"
#include "model/batch.h"
#include "model/field.h"

struct frame_sink {
	struct screen *screen;
	struct line_plan plan;
	struct buffer text;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct frame_sink *f = state;

	(void)err;
	f->screen = options->user;
	return 0;
}

static int begin(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct screen_frame *frame = screen_next(((struct frame_sink *)state)->screen);

	(void)head;
	(void)err;
	frame->table_count = 0;
	buffer_reset(&frame->lines);
	return 0;
}

/* A second section of the same name is the first one as a tree. */
static struct screen_table *table_for(struct screen_frame *f, const struct section *section)
{
	size_t i = 0;

	while (i < f->table_count && strcmp(f->tables[i].name, section->name))
		i++;
	if (i < f->table_count)
		return section->tree ? &f->trees[i] : NULL;
	if (f->table_count == SCREEN_TABLES_MAX)
		return NULL;
	f->trees[i].schema = NULL;
	f->table_count++;
	return &f->tables[i];
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct frame_sink *f = state;
	struct screen_frame *frame = screen_next(f->screen);
	struct screen_table *t;

	(void)err;
	f->screen->filling = NULL;
	if (section->schema->line) {
		line_plan(&f->plan, section->schema);
		return 0;
	}
	if (section->shape != SECTION_TABLE && section->shape != SECTION_KEYED)
		return 0;
	t = table_for(frame, section);
	if (!t)
		return 0;
	t->name = section->name;
	t->schema = section->schema;
	t->spare = section->spare;
	t->sort = section->sort;
	t->is_descending = section->is_descending;
	t->alarm = section->alarm;
	t->is_of_interval = section->is_of_interval;
	buffer_reset(&t->records);
	t->column_count = section_columns(section, t->columns);
	f->screen->filling = t;
	return 0;
}

static int rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct frame_sink *f = state;
	struct screen_frame *frame = screen_next(f->screen);

	(void)err;
	if (f->screen->filling)
		buffer_append(&f->screen->filling->records, batch->data, batch->size);
	if (!section->schema->line)
		return 0;
	batch_for_each (r, batch) {
		buffer_reset(&f->text);
		line_format(&f->text, &f->plan, r);
		if (f->text.size)
			buffer_append(&frame->lines, buffer_cstr(&f->text), f->text.size + 1);
	}
	return 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct screen *s = ((struct frame_sink *)state)->screen;

	(void)err;
	/* By now it is known whether a row existed, or only none was requested. */
	if (s->filling)
		s->filling->if_empty = section->if_empty;
	s->filling = NULL;
	return 0;
}

static int end(void *state, struct sooth_error *err)
{
	struct screen *s = ((struct frame_sink *)state)->screen;

	(void)err;
	/* While the screen is paused the next frame replaces this one. */
	if (s->is_held)
		return 0;
	s->current = (s->current + 1) % SCREEN_FRAMES;
	s->has_frame = s->is_new = true;
	s->seen_at = time(NULL);
	return 0;
}

static void close_sink(void *state)
{
	buffer_fini(&((struct frame_sink *)state)->text);
}

const struct sink_type screen_sink = {
	.name = "screen",
	.help = "live view on a terminal",
	.state_size = sizeof(struct frame_sink),
	.open = open_sink,
	.begin = begin,
	.section = section_begin,
	.rows = rows,
	.section_end = section_end,
	.end = end,
	.close = close_sink,
};

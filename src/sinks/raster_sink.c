/* SPDX-License-Identifier: BSD-2-Clause */
/* The sink around a sink: what it writes is drawn at the end; see raster.h. */
#include <errno.h>
#include <stdlib.h>

#include "sinks/raster.h"

struct around {
	struct sink_options options;
	const struct sink_type *inner;
	void *inner_state;
	FILE *memory;
	char *svg;
	size_t svg_size;
	struct raster *raster;
};

static void close_around(void *state)
{
	struct around *s = state;

	if (s->inner)
		sink_close(s->inner, s->inner_state);
	free(s->inner_state);
	if (s->memory)
		fclose(s->memory);
	free(s->svg);
	raster_free(s->raster);
	*s = (struct around){ 0 };
}

static int open_around(void *state, const struct sink_options *options, struct sooth_error *err)
{
	const struct sink_type *inner = options->user;
	struct around *s = state;
	struct sink_options own = *options;
	int status = raster_new(&s->raster, err);

	if (status)
		return status;
	s->options = *options;
	s->memory = open_memstream(&s->svg, &s->svg_size);
	s->inner_state = calloc(1, inner->state_size);
	own.stream = s->memory;
	own.user = NULL;
	status = s->memory && s->inner_state ? inner->open(s->inner_state, &own, err)
					     : error_no_memory(err);
	if (!status)
		s->inner = inner;
	else
		close_around(s);
	return status;
}

static int begin_around(void *state, const struct report_head *head, struct sooth_error *err)
{
	struct around *s = state;

	return sink_begin(s->inner, s->inner_state, head, err);
}

static int section_around(void *state, const struct section *section, struct sooth_error *err)
{
	struct around *s = state;

	return sink_section(s->inner, s->inner_state, section, err);
}

static int rows_around(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct around *s = state;

	return s->inner->rows(s->inner_state, section, batch, err);
}

static int section_end_around(void *state, const struct section *section, struct sooth_error *err)
{
	struct around *s = state;

	return sink_section_end(s->inner, s->inner_state, section, err);
}

static int end_around(void *state, struct sooth_error *err)
{
	struct around *s = state;
	struct buffer plain = { 0 };
	int status = sink_end(s->inner, s->inner_state, err);

	if (status)
		return status;
	if (fflush(s->memory))
		return error_no_memory(err);
	raster_put_variables(&plain, s->svg, s->svg_size);
	if (buffer_failed(&plain))
		status = error_no_memory(err);
	else
		status = raster_png(
			s->raster, (const char *)plain.data, plain.size, s->options.stream, err);
	buffer_fini(&plain);
	return status;
}

const struct sink_type raster_sink = {
	.name = "png",
	.help = "a picture as PNG",
	.state_size = sizeof(struct around),
	.open = open_around,
	.begin = begin_around,
	.section = section_around,
	.rows = rows_around,
	.section_end = section_end_around,
	.end = end_around,
	.close = close_around,
};

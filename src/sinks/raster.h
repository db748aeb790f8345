/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture as PNG: the SVG that its own sink writes, as it stands without a script, drawn by
 * librsvg. That is loaded when a PNG is asked for, so nothing else needs it, and nothing else
 * waits for it to be loaded.
 *
 * A sink `x-png` is a row, and a file with
 *
 *   RASTER_SINK(x_png, "x-png", "what x draws, as PNG", sink_x_svg)
 */
#ifndef SOOTH_SINKS_RASTER_H
#define SOOTH_SINKS_RASTER_H

#include "base/buffer.h"
#include "core/sink.h"

struct raster_sink {
	struct sink_options options;
	const struct sink_type *inner;
	void *inner_state;
	FILE *memory;
	char *svg;
	size_t svg_size;
	struct raster *raster;
};

int raster_sink_open(void *state, const struct sink_type *inner, const struct sink_options *options,
	struct sooth_error *err);
int raster_sink_begin(void *state, const struct report_head *head, struct sooth_error *err);
int raster_sink_section(void *state, const struct section *section, struct sooth_error *err);
int raster_sink_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err);
int raster_sink_section_end(void *state, const struct section *section, struct sooth_error *err);
int raster_sink_end(void *state, struct sooth_error *err);
void raster_sink_close(void *state);

/* Style sheets with their variables put in, as viewers need it that know none. */
void raster_put_variables(struct buffer *out, const char *svg, size_t size);

#define RASTER_SINK(id_, name_, help_, inner_)                                                     \
	extern const struct sink_type inner_;                                                      \
	static int open_##id_(                                                                     \
		void *state, const struct sink_options *options, struct sooth_error *err)          \
	{                                                                                          \
		return raster_sink_open(state, &inner_, options, err);                             \
	}                                                                                          \
	const struct sink_type sink_##id_ = {                                                      \
		.name = name_,                                                                     \
		.help = help_,                                                                     \
		.state_size = sizeof(struct raster_sink),                                          \
		.open = open_##id_,                                                                \
		.begin = raster_sink_begin,                                                        \
		.section = raster_sink_section,                                                    \
		.rows = raster_sink_rows,                                                          \
		.section_end = raster_sink_section_end,                                            \
		.end = raster_sink_end,                                                            \
		.close = raster_sink_close,                                                        \
	}

/* --- the painter --- */

struct raster;

/* -ENOTSUP with what to install. */
int raster_new(struct raster **out, struct sooth_error *err);
int raster_png(struct raster *r, const char *svg, size_t size, FILE *to, struct sooth_error *err);
void raster_free(struct raster *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture as PNG: the SVG that its own sink writes, as it stands without a script, drawn by
 * librsvg, which is loaded when a PNG is requested: nothing else needs it or waits for it.
 */
#ifndef SOOTH_SINKS_RASTER_H
#define SOOTH_SINKS_RASTER_H

#include "base/buffer.h"
#include "explain/sink.h"

/* Around the sink that is its options' `user`, and no format by itself. */
extern const struct sink_type raster_sink;

/* Style sheets with their variables put in, as viewers need it that know none. */
void raster_put_variables(struct buffer *out, const char *svg, size_t size);

/* --- the painter --- */

struct raster;

/* -ENOTSUP with what to install. */
int raster_new(struct raster **out, struct sooth_error *err);
int raster_png(struct raster *r, const char *svg, size_t size, FILE *to, struct sooth_error *err);
void raster_free(struct raster *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A picture as PNG: librsvg draws the SVG of the picture's sink, in its state without a script. The
 * library is only loaded when a PNG is requested.
 */
#pragma once

#include "base/buffer.h"
#include "explain/sink.h"

/* A sink around another one, which is the `user` of its options. */
extern const struct sink_type raster_sink;

/* Appends an SVG with CSS variables replaced by their values, for viewers that do not know them. */
void raster_put_variables(struct buffer *out, const char *svg, size_t size);

/* --- the painter --- */

struct raster;

/* Makes a raster. -ENOTSUP: the error names the package to install. */
int raster_new(struct raster **out, struct sooth_error *err);
int raster_png(struct raster *r, const char *svg, size_t size, FILE *to, struct sooth_error *err);
void raster_free(struct raster *r);

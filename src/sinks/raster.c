/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SVG drawn by librsvg and written as PNG by cairo, which it brings. Both are found at run time:
 * neither building sooth nor using it as a library needs them or their headers.
 */
#include "sinks/raster.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#define LIBRARY	     "librsvg-2.so.2"
#define SCALE_MOST   2.0  /* sharp on today's screens */
#define PIXELS_SHARP 16e6 /* compressing them takes most of the time */
#define PIXELS_MOST  32e6 /* 4 bytes each */
#define SMALLER	     0.9
#define SIDE_MOST    32000 /* of a surface of cairo */

/* What is passed to them, as librsvg 2.52, cairo 1.16 and glib 2.66 and later define it. */
struct rsvg_length {
	double length;
	int unit;
};

struct rsvg_rectangle {
	double x, y, width, height;
};

struct g_error {
	uint32_t domain;
	int code;
	char *message;
};

struct svg;	/* RsvgHandle */
struct drawing; /* cairo_t */
struct surface; /* cairo_surface_t */

#define CAIRO_FORMAT_RGB24 1
#define CAIRO_WRITE_ERROR  11

typedef int put_bytes_function(void *to, const unsigned char *bytes, unsigned size);

/* F(result, name, arguments) */
#define FUNCTIONS(F)                                                                               \
	F(void, g_object_unref, (void *))                                                          \
	F(void, g_error_free, (struct g_error *))                                                  \
	F(struct svg *, rsvg_handle_new_from_data,                                                 \
		(const unsigned char *, size_t, struct g_error **))                                \
	F(void, rsvg_handle_get_intrinsic_dimensions,                                              \
		(struct svg *, int *, struct rsvg_length *, int *, struct rsvg_length *, int *,    \
			struct rsvg_rectangle *))                                                  \
	F(int, rsvg_handle_render_document,                                                        \
		(struct svg *, struct drawing *, const struct rsvg_rectangle *,                    \
			struct g_error **))                                                        \
	F(struct surface *, cairo_image_surface_create, (int, int, int))                           \
	F(struct drawing *, cairo_create, (struct surface *))                                      \
	F(void, cairo_set_source_rgb, (struct drawing *, double, double, double))                  \
	F(void, cairo_paint, (struct drawing *))                                                   \
	F(void, cairo_destroy, (struct drawing *))                                                 \
	F(int, cairo_status, (struct drawing *))                                                   \
	F(const char *, cairo_status_to_string, (int))                                             \
	F(int, cairo_surface_write_to_png_stream,                                                  \
		(struct surface *, put_bytes_function *, void *))                                  \
	F(void, cairo_surface_destroy, (struct surface *))

struct raster {
	void *library;
#define MEMBER(result, name, arguments) result(*name) arguments;
	FUNCTIONS(MEMBER)
#undef MEMBER
};

static int missing(struct sooth_error *err, const char *why)
{
	error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "draw a PNG");
	error_why(err, "%s", why ? why : "a function is missing in " LIBRARY);
	return error_remedy(err, "install librsvg (Debian: librsvg2-2), or write an SVG");
}

static bool find_functions(struct raster *r)
{
	bool has_all = true;

#define FIND(result, name, arguments)                                                              \
	has_all &= (*(void **)&r->name = dlsym(r->library, #name)) != NULL;
	FUNCTIONS(FIND)
#undef FIND
	return has_all;
}

int raster_new(struct raster **out, struct sooth_error *err)
{
	struct raster *r = calloc(1, sizeof(*r));

	if (!r)
		return error_no_memory(err);
	r->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!r->library || !find_functions(r)) {
		missing(err, r->library ? NULL : dlerror());
		free(r);
		return -ENOTSUP;
	}
	*out = r;
	return 0;
}

/* The library stays: those it brings keep threads and tables of their own. */
void raster_free(struct raster *r)
{
	free(r);
}

/* Twice the size; of a picture of many lanes its own, where lines stay on pixels, or what it may.
 */
static double scale_for(double width, double height)
{
	bool is_large = width * height * SCALE_MOST * SCALE_MOST > PIXELS_SHARP;
	double scale = is_large ? 1 : SCALE_MOST;

	while (width * height * scale * scale > PIXELS_MOST || height * scale > SIDE_MOST)
		scale *= SMALLER;
	return scale;
}

static int put_bytes(void *to, const unsigned char *bytes, unsigned size)
{
	return fwrite(bytes, 1, size, to) == size ? 0 : CAIRO_WRITE_ERROR;
}

static int cannot_draw(struct sooth_error *err, const char *why)
{
	error_set(err, -EIO, SOOTH_FAULT_INTERNAL, "draw a PNG");
	error_why(err, "%s", why);
	return error_remedy(err, "write an SVG instead: -o FILE.svg");
}

/* Transparent is black to some viewers. */
static int paint(struct raster *r, struct svg *svg, struct drawing *cairo, double width,
	double height, struct sooth_error *err)
{
	struct rsvg_rectangle all = { 0, 0, width, height };
	struct g_error *failed = NULL;
	int status;

	r->cairo_set_source_rgb(cairo, 1, 1, 1);
	r->cairo_paint(cairo);
	if (r->rsvg_handle_render_document(svg, cairo, &all, &failed))
		return 0;
	status = cannot_draw(err, failed ? failed->message : "no reason given by the library");
	if (failed)
		r->g_error_free(failed);
	return status;
}

static int draw(struct raster *r, struct svg *svg, FILE *to, struct sooth_error *err)
{
	int has_width, has_height, has_view;
	struct rsvg_length width, height;
	struct rsvg_rectangle view = { 0 };
	double scale;
	struct surface *surface;
	int written;
	struct drawing *cairo;
	int status;

	/* Of width and height a style sheet may say that they are the viewer's. */
	r->rsvg_handle_get_intrinsic_dimensions(
		svg, &has_width, &width, &has_height, &height, &has_view, &view);
	if (!has_view || !(view.width > 0) || !(view.height > 0))
		return cannot_draw(err, "the picture has no size");
	scale = scale_for(view.width, view.height);
	surface = r->cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)(view.width * scale), (int)(view.height * scale));
	cairo = r->cairo_create(surface);
	status = paint(r, svg, cairo, view.width * scale, view.height * scale, err);
	written = r->cairo_status(cairo);
	if (!status && !written)
		written = r->cairo_surface_write_to_png_stream(surface, put_bytes, to);
	if (!status && written)
		status = cannot_draw(err, r->cairo_status_to_string(written));
	r->cairo_destroy(cairo);
	r->cairo_surface_destroy(surface);
	return status;
}

int raster_png(struct raster *r, const char *svg, size_t size, FILE *to, struct sooth_error *err)
{
	struct g_error *failed = NULL;
	struct svg *handle =
		r->rsvg_handle_new_from_data((const unsigned char *)svg, size, &failed);
	int status;

	if (!handle) {
		status = cannot_draw(
			err, failed ? failed->message : "no reason given by the library");
		if (failed)
			r->g_error_free(failed);
		return status;
	}
	status = draw(r, handle, to, err);
	r->g_object_unref(handle);
	if (!status && fflush(to))
		status = error_errno(err, -errno, "write the picture");
	return status;
}

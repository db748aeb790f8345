/* SPDX-License-Identifier: BSD-2-Clause */
/* SVG drawn by librsvg and written as PNG by cairo, which it brings; see raster.h. */
#include "sinks/raster.h"

#include <errno.h>
#include <stdlib.h>

#if SOOTH_HAS_RSVG

#include <dlfcn.h>
#include <librsvg/rsvg.h>

#define LIBRARY	     "librsvg-2.so.2"
#define SCALE_MOST   2.0  /* sharp on today's screens */
#define PIXELS_SHARP 16e6 /* compressing them takes most of the time */
#define PIXELS_MOST  32e6 /* 4 bytes each */
#define SMALLER	     0.9
#define SIDE_MOST    32000 /* of a surface of cairo */

/* By the prototypes of the headers: what the compiler cannot check is the library's version. */
#define FUNCTIONS(F)                                                                               \
	F(g_object_unref)                                                                          \
	F(g_error_free)                                                                            \
	F(rsvg_handle_new_from_data)                                                               \
	F(rsvg_handle_get_intrinsic_dimensions)                                                    \
	F(rsvg_handle_render_document)                                                             \
	F(cairo_image_surface_create)                                                              \
	F(cairo_create)                                                                            \
	F(cairo_set_source_rgb)                                                                    \
	F(cairo_paint)                                                                             \
	F(cairo_destroy)                                                                           \
	F(cairo_status)                                                                            \
	F(cairo_status_to_string)                                                                  \
	F(cairo_surface_write_to_png_stream)                                                       \
	F(cairo_surface_destroy)

struct raster {
	void *library;
#define MEMBER(name) __typeof__(name) *name;
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

#define FIND(name) has_all &= (*(void **)&r->name = dlsym(r->library, #name)) != NULL;
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

static cairo_status_t put_bytes(void *to, const unsigned char *bytes, unsigned size)
{
	return fwrite(bytes, 1, size, to) == size ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static int cannot_draw(struct sooth_error *err, const char *why)
{
	error_set(err, -EIO, SOOTH_FAULT_INTERNAL, "draw a PNG");
	error_why(err, "%s", why);
	return error_remedy(err, "write an SVG instead: -o FILE.svg");
}

/* Transparent is black to some viewers. */
static int paint(struct raster *r, RsvgHandle *svg, cairo_t *cairo, double width, double height,
	struct sooth_error *err)
{
	RsvgRectangle all = { 0, 0, width, height };
	GError *failed = NULL;
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

static int draw(struct raster *r, RsvgHandle *svg, FILE *to, struct sooth_error *err)
{
	gboolean has_width, has_height, has_view;
	RsvgLength width, height;
	RsvgRectangle view = { 0 };
	double scale;
	cairo_surface_t *surface;
	cairo_status_t written;
	cairo_t *cairo;
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
	GError *failed = NULL;
	RsvgHandle *handle =
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

#else

int raster_new(struct raster **out, struct sooth_error *err)
{
	(void)out;
	error_set(err, -ENOTSUP, SOOTH_FAULT_UNSUPPORTED, "draw a PNG");
	error_why(err, "this sooth was built without librsvg");
	return error_remedy(err, "write an SVG, or install librsvg2-dev and build again");
}

int raster_png(struct raster *r, const char *svg, size_t size, FILE *to, struct sooth_error *err)
{
	(void)r;
	(void)svg;
	(void)size;
	(void)to;
	return raster_new(&r, err);
}

void raster_free(struct raster *r)
{
	(void)r;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draws SVG with librsvg, and writes PNG with cairo, which librsvg loads. Both are loaded at run
 * time: neither building sooth nor using its library needs them or their headers.
 */
#include "sinks/raster.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/shared_library.h"
/* --- the library --- */

#define SCALE_MOST   2.0  /* sharp on today's screens */
#define PIXELS_SHARP 16e6 /* compressing them takes most of the time */
#define PIXELS_MOST  32e6 /* 4 bytes each */
#define SMALLER	     0.9
#define SIDE_MOST    32000 /* pixels of a side of a surface of cairo */

/* Types of the libraries, as librsvg 2.52, cairo 1.16 and glib 2.66 and later define them. */
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
#define MEMBER(result, name, arguments) result(*name) arguments;
	FUNCTIONS(MEMBER)
#undef MEMBER
};

static const struct shared_function functions[] = {
#define ROW(result, name, arguments) SHARED_ROW(struct raster, name),
	FUNCTIONS(ROW)
#undef ROW
};

static const struct shared_library librsvg = { .file = "librsvg-2.so.2",
	.remedy = "install librsvg (Debian: librsvg2-2), or write an SVG",
	.purpose = "draw a PNG",
	.functions = functions,
	.function_count = ARRAY_SIZE(functions) };

int raster_new(struct raster **out, struct sooth_error *err)
{
	struct raster *r = calloc(1, sizeof(*r));
	int status;

	if (!r)
		return error_no_memory(err);
	status = shared_library_load(&librsvg, r, err);
	if (status)
		free(r);
	else
		*out = r;
	return status;
}

void raster_free(struct raster *r)
{
	free(r);
}

/* Returns 2; 1 for a large picture, where lines then fall on pixels; less if it would be too
 * large. */
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

static int refuse_drawing(struct sooth_error *err, const char *why)
{
	error_set(err, -EIO, SOOTH_FAULT_INTERNAL, "draw a PNG");
	error_why(err, "%s", why);
	return error_remedy(err, "write an SVG instead: -o FILE.svg");
}

static int refuse_glib_error(struct raster *r, struct g_error *failed, struct sooth_error *err)
{
	int status =
		refuse_drawing(err, failed ? failed->message : "no reason given by the library");

	if (failed)
		r->g_error_free(failed);
	return status;
}

/* Draws the picture on a background: some viewers show transparency as black. */
static int paint_picture(struct raster *r, struct svg *svg, struct drawing *cairo, double width,
	double height, struct sooth_error *err)
{
	struct rsvg_rectangle all = { 0, 0, width, height };
	struct g_error *failed = NULL;

	r->cairo_set_source_rgb(cairo, 1, 1, 1);
	r->cairo_paint(cairo);
	if (r->rsvg_handle_render_document(svg, cairo, &all, &failed))
		return 0;
	return refuse_glib_error(r, failed, err);
}

static int draw_picture(struct raster *r, struct svg *svg, FILE *to, struct sooth_error *err)
{
	int has_width, has_height, has_view;
	struct rsvg_length width, height;
	struct rsvg_rectangle view = { 0 };
	double scale;
	struct surface *surface;
	int written;
	struct drawing *cairo;
	int status;

	/* A style sheet may leave width and height to the viewer: use the view box. */
	r->rsvg_handle_get_intrinsic_dimensions(
		svg, &has_width, &width, &has_height, &height, &has_view, &view);
	if (!has_view || !(view.width > 0) || !(view.height > 0))
		return refuse_drawing(err, "the picture has no size");
	scale = scale_for(view.width, view.height);
	surface = r->cairo_image_surface_create(
		CAIRO_FORMAT_RGB24, (int)(view.width * scale), (int)(view.height * scale));
	cairo = r->cairo_create(surface);
	status = paint_picture(r, svg, cairo, view.width * scale, view.height * scale, err);
	written = r->cairo_status(cairo);
	if (!status && !written)
		written = r->cairo_surface_write_to_png_stream(surface, put_bytes, to);
	if (!status && written)
		status = refuse_drawing(err, r->cairo_status_to_string(written));
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

	if (!handle)
		return refuse_glib_error(r, failed, err);
	status = draw_picture(r, handle, to, err);
	r->g_object_unref(handle);
	if (!status && fflush(to))
		status = error_errno(err, -errno, "write the picture");
	return status;
}

/* --- variables of the style --- */

/* Replaces the variables of style sheets by their values. */

#define VARIABLES_MAX 128

struct variable {
	const char *name, *value; /* point into the style, not NUL-terminated */
	size_t name_size, value_size;
};

struct variables {
	struct variable all[VARIABLES_MAX];
	size_t count;
};

static const struct variable *variable_named(
	const struct variables *v, const char *name, size_t size)
{
	for (size_t i = 0; i < v->count; i++) {
		if (v->all[i].name_size == size && !memcmp(v->all[i].name, name, size))
			return &v->all[i];
	}
	return NULL;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Parses the definition "--page: #ffffff;" at `at`. Returns its end, or the end of a used name. */
static const char *parse_variable(struct variables *v, const char *at, const char *end)
{
	struct variable one = { .name = at };

	while (at < end && is_name(*at))
		at++;
	one.name_size = (size_t)(at - one.name);
	if (at == end || *at != ':')
		return at;
	for (at++; at < end && *at == ' ';)
		at++;
	one.value = at;
	while (at < end && *at != ';' && *at != '}')
		at++;
	one.value_size = (size_t)(at - one.value);
	if (v->count < VARIABLES_MAX && !variable_named(v, one.name, one.name_size))
		v->all[v->count++] = one;
	return at;
}

/* Parses the first value of each variable: a style sheet begins with the default theme. */
static void parse_variables(struct variables *v, const char *at, const char *end)
{
	while ((at = memmem(at, (size_t)(end - at), "--", 2)))
		at = parse_variable(v, at, end);
}

static void put_style(
	struct buffer *out, const struct variables *v, const char *at, const char *end)
{
	const char *use, *close;

	while ((use = memmem(at, (size_t)(end - at), "var(", 4)) &&
		(close = memchr(use, ')', (size_t)(end - use)))) {
		const struct variable *one = variable_named(v, use + 4, (size_t)(close - use) - 4);

		buffer_append(out, at, (size_t)(use - at));
		if (one)
			buffer_append(out, one->value, one->value_size);
		at = close + 1;
	}
	buffer_append(out, at, (size_t)(end - at));
}

/* Finds the next style sheet; false: no more. Texts cannot contain one, because "<" is escaped. */
static bool next_style(const char *at, const char *end, const char **from, const char **to)
{
	*from = memmem(at, (size_t)(end - at), "<style>", 7);
	*to = *from ? memmem(*from, (size_t)(end - *from), "</style>", 8) : NULL;
	return *to != NULL;
}

void raster_put_variables(struct buffer *out, const char *svg, size_t size)
{
	const char *end = svg + size, *from, *to;
	struct variables v = { 0 };

	for (const char *at = svg; next_style(at, end, &from, &to); at = to)
		parse_variables(&v, from, to);
	while (next_style(svg, end, &from, &to)) {
		buffer_append(out, svg, (size_t)(from - svg));
		put_style(out, &v, from, to);
		svg = to;
	}
	buffer_append(out, svg, (size_t)(end - svg));
}

/* --- the sink --- */

/* A sink around another sink: it draws the SVG of that sink at the end. */

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

static int pass_on_section(void *state, const struct section *section, struct sooth_error *err)
{
	struct around *s = state;

	return sink_section(s->inner, s->inner_state, section, err);
}

static int pass_on_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct around *s = state;

	return s->inner->rows(s->inner_state, section, batch, err);
}

static int pass_on_section_end(void *state, const struct section *section, struct sooth_error *err)
{
	struct around *s = state;

	return sink_section_end(s->inner, s->inner_state, section, err);
}

static int finish_picture(void *state, struct sooth_error *err)
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
	.section = pass_on_section,
	.rows = pass_on_rows,
	.section_end = pass_on_section_end,
	.end = finish_picture,
	.close = close_around,
};

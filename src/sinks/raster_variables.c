/* SPDX-License-Identifier: BSD-2-Clause */
/* Style sheets whose variables have become their values; see raster.h. */
#include <string.h>

#include "sinks/raster.h"

#define VARIABLES_MAX 128

struct variable {
	const char *name, *value; /* in the style, not NUL-terminated */
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

/* "--page: #ffffff;" at `at`; returns what stands behind it, or behind the name of a use. */
static const char *take_variable(struct variables *v, const char *at, const char *end)
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

/* The first value that each gets: a style sheet begins with what holds where nothing is asked. */
static void take_variables(struct variables *v, const char *at, const char *end)
{
	while ((at = memmem(at, (size_t)(end - at), "--", 2)))
		at = take_variable(v, at, end);
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

/* The next style sheet; false: there is none. Texts cannot hold one: "<" is escaped in them. */
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
		take_variables(&v, from, to);
	while (next_style(svg, end, &from, &to)) {
		buffer_append(out, svg, (size_t)(from - svg));
		put_style(out, &v, from, to);
		svg = to;
	}
	buffer_append(out, svg, (size_t)(end - svg));
}

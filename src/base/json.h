/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A streaming JSON writer into a buffer. It takes care of commas and nesting; types are up to the
 * caller. Misuse (a value without a key in an object, an end too many, depth over 32) is a defect
 * of the caller: the writer then sets `failed` and writes nothing more. Values at the top level
 * follow each other with nothing between: a caller that writes JSON lines adds the newline.
 *
 * No function has the name of a function of jansson (json_null, json_string): ELF links by default
 * would send jansson's own calls to ours.
 */
#pragma once

#include "base/buffer.h"

#define JSON_DEPTH_MAX 32

struct json {
	struct buffer *out;
	unsigned depth;
	uint32_t is_object; /* a bit per level */
	uint32_t has_items; /* a bit per level */
	bool has_key;	    /* a key was written, and its value not yet */
	bool failed;
	unsigned indent; /* spaces a level; 0: one line */
};

void json_init(struct json *j, struct buffer *out, unsigned indent);
void json_begin_object(struct json *j);
void json_begin_array(struct json *j);
void json_end(struct json *j);
void json_key(struct json *j, const char *key);
void json_chars(struct json *j, const char *text, size_t size);
void json_cstring(struct json *j, const char *text); /* NULL is written as null */
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
/* Writes a fixed number of decimals, with the point of the C locale; NaN and infinities as null. */
void json_f64(struct json *j, double value, unsigned decimals);
void json_bool(struct json *j, bool value);
void json_nothing(struct json *j);
/* Writes a value that is JSON already. */
void json_written(struct json *j, const char *text, size_t size);
/* Writes JSON by a format with ' for ": "{'pid':%u,'names':[%s". The text may be a part: an object
 * stays open, and a key at the end waits for its value. Conversions are those of printf: %s (also
 * as a key, and %.*s), %u and %d (also with l, ll or z), %.1f and %.*f; and %i is a truth value. */
void json_format(struct json *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns whether a text is nested at most that deep. jansson recurses, and goes deeper than a
 * small stack allows. */
bool json_is_shallow(const char *text, size_t size, unsigned depth_max);

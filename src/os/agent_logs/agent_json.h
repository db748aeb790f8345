/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON that agents write, and the few values read from it: plain words, times, numbers. Anything
 * too deep, too long or invalid counts as absent.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/cursor.h"

#define AGENT_JSON_MAX	 (256u << 10)
#define AGENT_JSON_DEPTH 64

/* An object; NULL: it is no object. The caller releases it. */
json_t *agent_json_object(const void *data, size_t size);
/* Writes the members of an object that stand before the first one with an array or an object: of
 * long files only the begin is read. False: there are none. */
bool agent_json_first_members(struct buffer *out, struct span text);
#define AGENT_MARKS_MAX 6
/* The same of a line of a log that has one of these texts; NULL ends them. Others are not parsed:
 * most of a log is something else, and long. */
json_t *agent_json_marked(struct span line, const char *const marks[AGENT_MARKS_MAX]);
static inline void cleanup_json(json_t **json)
{
	json_decref(*json);
}
#define _cleanup_json_ __attribute__((cleanup(cleanup_json)))

/* The member, if it is a plain word (recognize/agent_path.h) that fits; else `out` becomes "". Keys
 * may be NULL. */
bool agent_json_word(const json_t *object, const char *key, char *out, size_t room);
/* The same with blanks between: "permission prompt". */
bool agent_json_words(const json_t *object, const char *key, char *out, size_t room);
/* "2026-11-20T22:01:05.832Z"; 0: not a time. */
uint64_t agent_json_utc_of(struct span text);
/* The same, or milliseconds since 1970. */
uint64_t agent_json_utc_ns(const json_t *object, const char *key);
/* A number, or a string that is one. */
bool agent_json_number(const json_t *object, const char *key, uint64_t *number);
bool agent_json_is(const json_t *object, const char *key, const char *text);

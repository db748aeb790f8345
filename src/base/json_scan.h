/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads JSON (RFC 8259) that another program sent, in place: nothing is allocated. A text is
 * checked once as a whole, with its UTF-8; its values are then found as spans of the text.
 */
#ifndef SOOTH_BASE_JSON_SCAN_H
#define SOOTH_BASE_JSON_SCAN_H

#include "base/cursor.h"

#define JSON_SCAN_DEPTH 64

enum json_kind {
	JSON_ABSENT,
	JSON_NULL,
	JSON_TRUTH,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* Returns whether the text is one valid value that is nested at most JSON_SCAN_DEPTH deep. */
bool json_scan_check(struct span text);

/* --- values of a checked text --- */

/* Returns the kind of a value; JSON_ABSENT for an empty span. */
enum json_kind json_scan_kind(struct span value);
/* Returns the value of the first member with this name, as it is written. Empty: there is none, or
 * `object` is no object. */
struct span json_scan_member(struct span object, const char *name);
/* Reads the next member of an object; `members` begins as cursor_over() the object. False: there is
 * no further member. */
bool json_scan_next(struct cursor *members, struct span *name, struct span *value);
/* Copies a string of printable ASCII characters. False: it is anything else, or does not fit. */
bool json_scan_word(struct span value, char *out, size_t room);

#endif

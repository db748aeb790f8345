/* SPDX-License-Identifier: BSD-2-Clause */
/* A class histogram of HotSpot, a text: rank, instances, bytes and name, largest class first. It
 * comes from the target, so other lines are skipped. */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

#define CLASS_NAME_MOST 512 /* a longer name is cut */

struct class_row {
	uint64_t instances, bytes;
	struct span name; /* the JVM's own form; borrowed */
	bool is_of_runtime;
};

/* Goes to the next class; false: there is none. */
bool class_histogram_next(struct cursor *text, struct class_row *out);
/* Returns whether the text has its last line. */
bool class_histogram_is_whole(struct span text);
/* Writes the name as Java programs do: byte[] for [B. */
void class_name_put(struct buffer *out, struct span name);

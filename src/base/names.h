/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stores repeated texts once. Each text has a number, from 0 on. The count and the bytes are
 * bounded.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"
#include "base/map.h"

struct names {
	struct map by_hash;   /* hash -> uint32_t number */
	struct buffer places; /* number of a text -> its position in `bytes` */
	struct buffer bytes;
	size_t bytes_most;
};

#define NAMES_NONE UINT32_MAX

void names_init(struct names *n, size_t most, size_t bytes_most);
void names_fini(struct names *n);
/* Returns the number of a text, and stores a new text (*is_new is then true; `is_new` may be NULL).
 * The stored texts may move: a text of this list that is not one of its numbers is copied before.
 * NAMES_NONE: there is no room. */
uint32_t names_put(struct names *n, struct span text, bool *is_new);
size_t names_count(const struct names *n);
/* Returns the text of a number, borrowed until the next put. */
struct span names_get(const struct names *n, uint32_t number);

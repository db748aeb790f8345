/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads strings of V8 from the memory of its process. Each step is bounded. */
#pragma once

#include <stddef.h>

#include "base/buffer.h"
#include "os/linux/runtimes/v8/v8_layout.h"

#define V8_LETTERS_MAX 1024 /* most letters of a name or a path */

/* Reads `size` bytes at an address of the target; false: not all of them are there. */
typedef bool (*v8_read)(void *user, uint64_t address, void *out, size_t size);

struct v8_memory {
	const struct v8_layout *layout;
	v8_read read;
	void *user;
};

/* Letters in one piece of memory. */
struct v8_letters {
	uint64_t address;
	uint32_t length;
	uint32_t bytes; /* bytes per letter: 1 or 2 */
};

static inline bool v8_is_object(const struct v8_memory *m, uint64_t word)
{
	return (word & (uint64_t)m->layout->tag_mask) == (uint64_t)m->layout->tag;
}

/* Returns a word of an object; 0: it could not be read. */
uint64_t v8_word(const struct v8_memory *m, uint64_t object, size_t offset);
/* Returns the type of an object; -1: it is no object, or could not be read. */
int v8_type(const struct v8_memory *m, uint64_t object);
bool v8_is_string(const struct v8_memory *m, uint64_t object);
bool v8_is_small(uint64_t word);
int32_t v8_small(uint64_t word);
/* Appends a string as UTF-8. False: it is no string, is too long, or has letters that no name
 * has. */
bool v8_text(const struct v8_memory *m, uint64_t string, struct buffer *out);
/* Finds the letters of a flat string. */
bool v8_flat(const struct v8_memory *m, uint64_t string, struct v8_letters *out);

/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of one frame of a report, unchanged, and access to their fields by name. */
#pragma once

#include <time.h>

#include "base/buffer.h"
#include "explain/sink.h"

#define TOP_TABLES_MAX 16

struct top_table {
	const char *name; /* name of the table's section */
	const struct sooth_schema *schema;
	const char *if_empty;
	struct buffer records;
};

struct top_frame {
	struct top_table tables[TOP_TABLES_MAX];
	size_t count;
	struct timespec seen_at;
};

/* Returns the table of that name; NULL: the frame has none. */
const struct top_table *top_table_of(const struct top_frame *f, const char *name);
/* Returns the first row of a table; NULL: there is none. */
const struct sooth_record *top_row_of(const struct top_table *t);
void top_frame_fini(struct top_frame *f);
bool top_frame_copy(struct top_frame *to, const struct top_frame *from);

/* Sets a number; false: the field has no value. */
bool top_number(const struct sooth_schema *schema, const char *name, const struct sooth_record *r,
	double *out);
/* Sets an escaped text for people; false and "": the field has no value. */
bool top_word(const struct sooth_schema *schema, const char *name, const struct sooth_record *r,
	char *out, size_t size);

struct top_frames {
	struct top_frame filling;
	void (*take)(void *user, const struct top_frame *frame);
	void *user;
	struct top_table *open; /* table of the open section */
};

/* A sink; its `user` is a struct top_frames. */
extern const struct sink_type top_sink;

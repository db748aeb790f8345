/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The destination of rows: one report passes its rows to its sinks. A report is a sequence of
 * sections; a section has rows of one schema. Stages define a section, sinks decide how it looks.
 */
#pragma once

#include "base/error.h"
#include "explain/sink.h"

#define OUTPUT_SINKS_MAX 8

struct output;

int output_new(struct output **out, struct sooth_error *err);
/* Adds a sink, which the output owns from now on. */
int output_add_sink(struct output *o, const struct sink_type *type,
	const struct sink_options *options, struct sooth_error *err);
/* Keeps only rows that match `text` (model/filter.h), in tables that have its fields. -EINVAL. */
int output_filter(struct output *o, const char *text, struct sooth_error *err);
/* Checks the filter, if there is one: -EINVAL if none of these tables has all its fields. */
int output_check_filter(const struct output *o, const struct sooth_schema *const *tables,
	size_t count, struct sooth_error *err);
/* Returns whether a sink takes records of the recording. */
bool output_takes_records(const struct output *o);
/* Shows a record of the recording to the sinks; schema: NULL if its kind is not known. */
void output_show_record(
	struct output *o, const struct sooth_schema *schema, const struct sooth_record *record);
int output_begin(struct output *o, const struct report_head *head, struct sooth_error *err);
/* Begins a section, and closes the one before if it is still open. `section` is borrowed until its
 * end. */
int output_section(struct output *o, const struct section *section, struct sooth_error *err);
/* Returns whether there is a filter that can leave out rows of this schema. */
bool output_filters(const struct output *o, const struct sooth_schema *schema);
/* Returns whether the row passes the filter. */
bool output_holds(
	const struct output *o, const struct sooth_schema *schema, const struct sooth_record *row);
/* Adds a limit of a view, which is printed once among the notes. */
void output_limit(struct output *o, const char *what, const char *reason, const char *remedy);
/* Returns the limits so far, as stream.limit records. */
struct batch output_limits(const struct output *o);
/* Returns whether the rows say what is missing without privilege, and the remedy, so that the text
 * has no other note about it. `says_so`: they do from now on. */
bool output_says_privilege(struct output *o, bool says_so);
/* Notes that only a part was read: a table without rows does not mean that there was nothing. */
void output_of_part(struct output *o);
int output_close_section(struct output *o, struct sooth_error *err);
/* Adds a row to the open section; tails as in record_append(). */
int output_row(struct output *o, struct sooth_record *row, size_t fixed, struct record_tail *tail,
	size_t tail_count, struct sooth_error *err);
#define OUTPUT_ROW(o, value, tail, count, err)                                                     \
	output_row(o, &(value)->record, sizeof(*(value)), tail, count, err)
/* Adds a section that has only this row. */
#define OUTPUT_OBJECT(o, section, value, tail, count, err)                                         \
	({                                                                                         \
		int opened = output_section(o, section, err);                                      \
		opened ? opened : OUTPUT_ROW(o, value, tail, count, err);                          \
	})
/* Adds a row of another section among the rows of an open stream: only sinks that write lines get
 * it, and none if there is a filter, as the filter is for the rows of the stream. */
int output_interleaved(struct output *o, const struct section *section, struct sooth_record *row,
	size_t fixed, struct record_tail *tail, size_t tail_count, struct sooth_error *err);
#define OUTPUT_INTERLEAVED(o, section, value, tail, count, err)                                    \
	output_interleaved(o, section, &(value)->record, sizeof(*(value)), tail, count, err)
/* Passes on a record as it came. */
int output_record(struct output *o, const struct sooth_record *record, struct sooth_error *err);
/* Passes waiting rows to the sinks; this also happens by itself now and then. */
int output_flush(struct output *o, struct sooth_error *err);
int output_end(struct output *o, struct sooth_error *err);
void output_free(struct output *o);

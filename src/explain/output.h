/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where rows go: one report fans out to its sinks. A report is a sequence of
 * sections; a section is rows of one schema. Stages say what a section is, sinks
 * decide how it looks.
 */
#ifndef SOOTH_EXPLAIN_OUTPUT_H
#define SOOTH_EXPLAIN_OUTPUT_H

#include "base/error.h"
#include "explain/sink.h"

#define OUTPUT_SINKS_MAX 8

struct output;

int output_new(struct output **out, struct sooth_error *err);
/* The output owns the sink from here on. */
int output_add_sink(struct output *o, const struct sink_type *type,
	const struct sink_options *options, struct sooth_error *err);
/* Only rows of tables that this holds for (model/filter.h); others are left out of tables that
 * have its fields. -EINVAL. */
int output_filter(struct output *o, const char *text, struct sooth_error *err);
/* When there is a filter: -EINVAL if none of these tables has all its fields. */
int output_check_filter(const struct output *o, const struct sooth_schema *const *tables,
	size_t count, struct sooth_error *err);
int output_begin(struct output *o, const struct report_head *head, struct sooth_error *err);
/* Closes the section before it, if it is still open. The section is borrowed until then. */
int output_section(struct output *o, const struct section *section, struct sooth_error *err);
/* There is a filter, and it can leave out rows of this schema. */
bool output_filters(const struct output *o, const struct sooth_schema *schema);
/* The filter lets such a row pass. */
bool output_holds(
	const struct output *o, const struct sooth_schema *schema, const struct sooth_record *row);
/* Something a view could not do: printed once among the notes. */
void output_limit(struct output *o, const char *what, const char *reason, const char *remedy);
/* The limits noted so far: stream.limit records. */
struct batch output_limits(const struct output *o);
/* Only a part was read: a table without rows does not mean that there was nothing. */
void output_of_part(struct output *o);
int output_close_section(struct output *o, struct sooth_error *err);
/* A row of the open section; tails as in record_append(). */
int output_row(struct output *o, struct sooth_record *row, size_t fixed, struct record_tail *tail,
	size_t tail_count, struct sooth_error *err);
#define OUTPUT_ROW(o, value, tail, count, err)                                                     \
	output_row(o, &(value)->record, sizeof(*(value)), tail, count, err)
/*
 * A row of another section among those of an open stream: only sinks that
 * write lines get it. With a filter, which concerns the rows of the stream, no sink does.
 */
int output_interleaved(struct output *o, const struct section *section, struct sooth_record *row,
	size_t fixed, struct record_tail *tail, size_t tail_count, struct sooth_error *err);
#define OUTPUT_INTERLEAVED(o, section, value, tail, count, err)                                    \
	output_interleaved(o, section, &(value)->record, sizeof(*(value)), tail, count, err)
/* A record that is shown as it came. */
int output_record(struct output *o, const struct sooth_record *record, struct sooth_error *err);
/* Hand what is waiting to the sinks; also done by itself now and then. */
int output_flush(struct output *o, struct sooth_error *err);
int output_end(struct output *o, struct sooth_error *err);
void output_free(struct output *o);

#endif

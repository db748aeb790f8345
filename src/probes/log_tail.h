/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last lines of a program's log: which of them report an error, and how often each form of
 * message occurs. Lines of a stack trace belong to the message before; an exception at its end is a
 * second part of that message ("job failed" and "KeyError: 'price'").
 */
#pragma once

#include "probes/log_line.h"
#include "probes/logs.h"

#define LOG_TAIL_LINES 4096 /* the last messages, whose forms are remembered */
#define LOG_TAIL_FORMS                                                                             \
	256 /* if there are more forms, each further message counts as a new form                  \
	     */

struct log_form {
	uint64_t form;
	enum log_line_kind kind;
	bool is_done;
	uint32_t times, times_new;
	uint32_t first, last;  /* number of its first and its last message, from 0 */
	struct span text, end; /* of the last message; `end`: its last part, or empty */
};

struct log_tail {
	uint32_t lines, lines_new;   /* messages */
	uint32_t errors, errors_new; /* those that are errors or warnings */
	uint32_t form_count;
	bool is_text; /* false: it has bytes that do not occur in text */
	struct log_form forms[LOG_TAIL_FORMS];
	uint16_t form_at[LOG_TAIL_LINES]; /* form of a message, by its number modulo the size */
};

/*
 * Reads `text`, and removes color sequences from it. A line that begins at `new_from` or later is
 * new since the last sample. `is_cut`: the text begins within a line. The spans in `out` are
 * borrowed from `text`. `is_log`: as for log_line_read().
 */
void log_tail_read(
	struct log_tail *out, char *text, size_t size, size_t new_from, bool is_cut, bool is_log);
/* Do the same line by line; the caller leaves out blank lines and details. `is_behind_detail`:
 * details came before the line, so an exception is a part of the message before them. */
void log_tail_begin(struct log_tail *t);
void log_tail_add(
	struct log_tail *t, const struct log_line *line, bool is_new, bool is_behind_detail);
/* Returns the record of an error of that file, without its text. */
struct logs_error log_tail_error(
	const struct log_tail *t, const struct log_form *f, const struct logs_file *file);
/* Writes up to `max` forms of errors and warnings to `out`: first the most frequent since the last
 * sample, then the most frequent, then the last. Returns how many. */
size_t log_tail_worst(const struct log_tail *t, const struct log_form **out, size_t max);

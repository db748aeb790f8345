/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of a program's log, of whatever form: is it about an error? By the word of its level
 * (ERROR, [warn], level=info, E0612 of glog, "level":50 of pino) if it has one; else by what errors
 * are called in many languages (KeyError:, java.net.ConnectException) and by the words of
 * strerror(3) and its like.
 */
#ifndef SOOTH_PROBES_LOG_LINE_H
#define SOOTH_PROBES_LOG_LINE_H

#include "base/cursor.h"

enum log_line_kind {
	LOG_LINE_BLANK,
	LOG_LINE_DETAIL, /* a line of a stack trace, or otherwise part of the one before */
	LOG_LINE_ROUTINE,
	LOG_LINE_WARNING,
	LOG_LINE_ERROR,
};

struct log_line {
	enum log_line_kind kind;
	bool has_level;	     /* a word says the kind */
	bool is_done;	     /* routine, and it says that something succeeded */
	bool has_time;	     /* it begins with a time or a level: a message begins here */
	struct span message; /* behind time and level; borrowed */
	/* The same for messages that differ in numbers, quoted texts and paths alone. */
	uint64_t form;
};

/* Removes the sequences that color a terminal, in place; the new size. */
size_t log_line_clean(char *line, size_t size);
/* The size of at most `most` bytes of a message, of whole words: half a secret would not be known
 * for one. */
size_t log_line_cut(struct span message, size_t most);
/* `is_log` false: the text may be any, so that an error needs a level or the name of an exception.
 */
void log_line_read(struct log_line *out, struct span line, bool is_log);

#endif

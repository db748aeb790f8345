/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classifies one line of a program's log, in any format: is it about an error? The word of its
 * level (ERROR, [warn], level=info, E0612 of glog, "level":50 of pino) decides if there is one;
 * else names of errors in many languages (KeyError:, java.net.ConnectException), the words of
 * strerror(3) and similar words decide.
 */
#pragma once

#include "base/cursor.h"

enum log_line_kind {
	LOG_LINE_BLANK,
	LOG_LINE_DETAIL, /* a line of a stack trace, or another part of the message before */
	LOG_LINE_ROUTINE,
	LOG_LINE_WARNING,
	LOG_LINE_ERROR,
};

struct log_line {
	enum log_line_kind kind;
	bool has_level;	     /* a level word gives the kind */
	bool is_done;	     /* a routine line that says that something succeeded */
	bool has_time;	     /* the line begins with a time or a level: a message begins here */
	struct span message; /* text after time and level; borrowed */
	/* Equal for messages that differ only in numbers, quoted texts and paths. */
	uint64_t form;
};

/* Removes the color sequences of a terminal in place. Returns the new size. */
size_t log_line_clean(char *line, size_t size);
/* Returns the size of the first whole words of `message`, at most `most` bytes: half a secret would
 * not be recognized. */
size_t log_line_cut(struct span message, size_t most);
/* Reads `line` into `out`. If `is_log` is false, the line may be any text: an error then needs a
 * level or the name of an exception. */
void log_line_read(struct log_line *out, struct span line, bool is_log);

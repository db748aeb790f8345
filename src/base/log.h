/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages for debugging sooth. The library has no log of its own: the
 * owner passes a struct log, or NULL, and decides what happens to a line.
 */
#pragma once

/* LOG_DEBUG: the steps of sooth. LOG_TRACE: also those of the libraries that it uses. */
enum log_level { LOG_NONE, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_TRACE };

struct log {
	enum log_level level; /* most verbose level to report */
	void (*write)(
		void *user, enum log_level level, const char *line); /* no newline at the end */
	void *user;
};

void log_line(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Returns the level of "none", "error", "warning", "info", "debug" or "trace"; -1: another text. */
int log_level_parse(const char *text);

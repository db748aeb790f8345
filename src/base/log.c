/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines: formatted into a fixed line, cut when too long, and passed to
 * the owner of the log. A disabled level formats nothing.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 1024
#define CUT	  "..."

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;
	size_t size;
	int length;

	if (!log || !log->write || level <= LOG_NONE || level > log->level)
		return;
	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(line))
		memcpy(line + sizeof(line) - sizeof(CUT), CUT, sizeof(CUT));
	for (size = strlen(line); size && line[size - 1] == '\n'; size--)
		line[size - 1] = '\0';
	log->write(log->user, level, line);
}

int log_level_parse(const char *text)
{
	static const char *const names[] = {
		[LOG_NONE] = "none",
		[LOG_ERROR] = "error",
		[LOG_WARNING] = "warning",
		[LOG_INFO] = "info",
		[LOG_DEBUG] = "debug",
		[LOG_TRACE] = "trace",
	};

	for (size_t i = 0; text && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return (int)i;
	return -1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling struct sooth_error. Texts are formatted into a copy first, so that an
 * argument may point into the object being filled (a caller that wraps the message
 * of a lower layer).
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error_remedy.h"

static void format_text(char *text, size_t size, const char *format, va_list args)
{
	char aside[256];

	_Static_assert(sizeof(aside) >= sizeof(((struct sooth_error *)0)->tried), "tried");
	_Static_assert(sizeof(aside) >= sizeof(((struct sooth_error *)0)->why), "why");
	_Static_assert(sizeof(aside) >= sizeof(((struct sooth_error *)0)->missing), "missing");
	_Static_assert(sizeof(aside) >= sizeof(((struct sooth_error *)0)->remedy), "remedy");
	if (vsnprintf(aside, size, format, args) < 0)
		aside[0] = '\0';
	memcpy(text, aside, strlen(aside) + 1);
}

static void start_error(
	struct sooth_error *err, int code, enum sooth_fault fault, const char *format, va_list args)
{
	char tried[sizeof(err->tried)];

	format_text(tried, sizeof(tried), format, args);
	memset(err, 0, sizeof(*err));
	err->code = code;
	err->fault = fault;
	memcpy(err->tried, tried, strlen(tried) + 1);
}

static enum sooth_fault fault_of(int code)
{
	switch (-code) {
	case EPERM:
	case EACCES:
		return SOOTH_FAULT_PRIVILEGE;
	case ENOENT:
	case ESRCH:
		return SOOTH_FAULT_NOT_FOUND;
	case ENOMEM:
		return SOOTH_FAULT_INTERNAL;
	case ENOSYS:
	case EOPNOTSUPP:
		return SOOTH_FAULT_UNSUPPORTED;
	default:
		return SOOTH_FAULT_IO;
	}
}

int error_set(struct sooth_error *err, int code, enum sooth_fault fault, const char *tried, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, tried);
	start_error(err, code, fault, tried, args);
	va_end(args);
	return code;
}

int error_errno(struct sooth_error *err, int code, const char *tried, ...)
{
	va_list args;

	/* Callers test for "< 0": a bare errno must not turn into success. */
	if (code > 0)
		code = -code;
	if (!err)
		return code;
	va_start(args, tried);
	start_error(err, code, fault_of(code), tried, args);
	va_end(args);
	error_why(err, "%s", strerror(-code));
	return code;
}

int error_no_memory(struct sooth_error *err)
{
	return error_errno(err, -ENOMEM, "allocate memory");
}

int error_why(struct sooth_error *err, const char *why, ...)
{
	va_list args;

	if (!err)
		return 0;
	va_start(args, why);
	format_text(err->why, sizeof(err->why), why, args);
	va_end(args);
	return err->code;
}

int error_missing(struct sooth_error *err, const char *missing, ...)
{
	va_list args;

	if (!err)
		return 0;
	va_start(args, missing);
	format_text(err->missing, sizeof(err->missing), missing, args);
	va_end(args);
	return err->code;
}

int error_remedy(struct sooth_error *err, const char *remedy, ...)
{
	char text[sizeof(err->remedy)], here[sizeof(err->remedy)];
	va_list args;

	if (!err)
		return 0;
	va_start(args, remedy);
	format_text(text, sizeof(text), remedy, args);
	va_end(args);
	snprintf(err->remedy, sizeof(err->remedy), "%s",
		error_remedy_of(here, sizeof(here), text, !geteuid()));
	return err->code;
}

int error_exit_status(const struct sooth_error *err)
{
	/* Called without an object, or with an unclassified code: a defect in sooth. */
	if (!err)
		return 5;
	switch (err->fault) {
	case SOOTH_FAULT_NONE:
		return err->code ? 5 : 0;
	case SOOTH_FAULT_USAGE:
		return 2;
	case SOOTH_FAULT_PRIVILEGE:
	case SOOTH_FAULT_UNSUPPORTED:
		return 3;
	case SOOTH_FAULT_NOT_FOUND:
		return 4;
	case SOOTH_FAULT_NO_COMMAND:
		return 127;
	case SOOTH_FAULT_NOT_EXECUTABLE:
		return 126;
	case SOOTH_FAULT_IO:
	case SOOTH_FAULT_INTERNAL:
		return 5;
	}
	return 5;
}

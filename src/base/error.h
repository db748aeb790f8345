/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fills the public error object where the failure is known.
 *
 * error_set() clears the object and returns its code, so that a failing path reads
 *     return error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "open %s", path);
 * error_why(), error_missing() and error_remedy() add to the object, and also return the code.
 * All accept a NULL error (then error_set() still returns its code and the others return 0).
 */
#pragma once

#include <sooth/error.h>

#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

int error_set(struct sooth_error *err, int code, enum sooth_fault fault, const char *tried, ...)
	PRINTF_LIKE(4, 5);
/* Does the same as error_set(), with strerror of the code as the reason and the fault derived from
 * the code: EPERM and EACCES are privilege, ENOENT and ESRCH not found, ENOMEM internal, ENOSYS and
 * EOPNOTSUPP unsupported, all others I/O. */
int error_errno(struct sooth_error *err, int code, const char *tried, ...) PRINTF_LIKE(3, 4);
int error_no_memory(struct sooth_error *err);
int error_why(struct sooth_error *err, const char *why, ...) PRINTF_LIKE(2, 3);
int error_missing(struct sooth_error *err, const char *missing, ...) PRINTF_LIKE(2, 3);
int error_remedy(struct sooth_error *err, const char *remedy, ...) PRINTF_LIKE(2, 3);

/* Stands first in a public function: its caller may pass NULL, but inside the function there is
 * always an error object, so that error_why() and similar functions have a code to return. */
#define ERROR_HERE(err)                                                                            \
	struct sooth_error error_here;                                                             \
	if (!(err))                                                                                \
	(err) = &error_here

/* Returns the exit status that belongs to the fault (see <sooth/error.h>). */
int error_exit_status(const struct sooth_error *err);

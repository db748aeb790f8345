/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling the public error object where the knowledge is.
 *
 * error_set() starts afresh and returns its code, so that a failing path reads
 *     return error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "open %s", path);
 * error_why(), error_missing() and error_remedy() add to what was set; they
 * too return the code. All accept a NULL error (then error_set() still returns
 * its code and the others return 0).
 */
#ifndef SOOTH_BASE_ERROR_H
#define SOOTH_BASE_ERROR_H

#include <sooth/error.h>

#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

int error_set(struct sooth_error *err, int code, enum sooth_fault fault, const char *tried, ...)
	PRINTF_LIKE(4, 5);
/* As error_set(), with strerror of the code as the reason and the fault derived from it:
 * EPERM and EACCES are privilege, ENOENT and ESRCH not found, ENOMEM internal,
 * ENOSYS and EOPNOTSUPP unsupported, all others I/O. */
int error_errno(struct sooth_error *err, int code, const char *tried, ...) PRINTF_LIKE(3, 4);
int error_no_memory(struct sooth_error *err);
int error_why(struct sooth_error *err, const char *why, ...) PRINTF_LIKE(2, 3);
int error_missing(struct sooth_error *err, const char *missing, ...) PRINTF_LIKE(2, 3);
int error_remedy(struct sooth_error *err, const char *remedy, ...) PRINTF_LIKE(2, 3);

/*
 * First in a public function: its caller may pass NULL, but within there always
 * is an error object, so that error_why() and the like have a code to return.
 */
#define ERROR_HERE(err)                                                                            \
	struct sooth_error error_here;                                                             \
	if (!(err))                                                                                \
	(err) = &error_here

/* The exit status that belongs to a fault (see <sooth/error.h>). */
int error_exit_status(const struct sooth_error *err);

#endif

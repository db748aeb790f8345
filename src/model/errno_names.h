/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/* Errors that the diagnosis uses, as Linux numbers them, whatever system explains the recording. */
enum linux_error {
	LINUX_EPERM = 1,
	LINUX_ENOENT = 2,
	LINUX_EINTR = 4,
	LINUX_EIO = 5,
	LINUX_ENOEXEC = 8,
	LINUX_EBADF = 9,
	LINUX_EAGAIN = 11,
	LINUX_ENOMEM = 12,
	LINUX_EACCES = 13,
	LINUX_EEXIST = 17,
	LINUX_EXDEV = 18,
	LINUX_EBUSY = 16,
	LINUX_ENOTDIR = 20,
	LINUX_EMFILE = 24,
	LINUX_ETXTBSY = 26,
	LINUX_EFBIG = 27,
	LINUX_ENOSPC = 28,
	LINUX_EROFS = 30,
	LINUX_EPIPE = 32,
	LINUX_ELOOP = 40,
	LINUX_EMSGSIZE = 90,
	LINUX_EADDRINUSE = 98,
	LINUX_EADDRNOTAVAIL = 99,
	LINUX_ENETUNREACH = 101,
	LINUX_ECONNRESET = 104,
	LINUX_EISCONN = 106,
	LINUX_ETIMEDOUT = 110,
	LINUX_ETOOMANYREFS = 109,
	LINUX_ECONNREFUSED = 111,
	LINUX_EHOSTUNREACH = 113,
	LINUX_EALREADY = 114,
	LINUX_EINPROGRESS = 115,
	LINUX_ESTALE = 116,
	LINUX_EDQUOT = 122,
	LINUX_ERESTARTSYS = 512, /* up to 516: the kernel restarts the call */
};

/* Returns the name of an error: "ENOENT" for 2; NULL: the number has no name. */
const char *errno_name(uint64_t number);
/* Returns the text of an error: "No such file or directory" for 2; NULL: it has none. */
const char *errno_text(uint64_t number);

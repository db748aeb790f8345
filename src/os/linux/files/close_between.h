/* SPDX-License-Identifier: BSD-2-Clause */
/* Closes ranges of descriptors in a child process made for one purpose. */
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#define CLOSE_MAX 65536 /* limit if close_range(2) (Linux 5.9) is missing */

static inline void close_between(unsigned first, unsigned last)
{
	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return;
	for (unsigned fd = first; fd <= last && fd < CLOSE_MAX; fd++)
		close((int)fd);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* One descriptor that stands for several and for time, for the event loop of another program. */
#ifndef SOOTH_OS_LINUX_OS_WATCH_H
#define SOOTH_OS_LINUX_OS_WATCH_H

#include <stddef.h>

#include "os/os.h"

int os_watch_begin(const struct os *os, struct os_watch *watch, const int *descriptors,
	size_t count, int interval_ms);
void os_watch_clear(const struct os *os, const struct os_watch *watch);
void os_watch_end(const struct os *os, struct os_watch *watch);

#endif

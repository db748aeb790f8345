/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that programs give to files which exist only to keep others out. */
#ifndef SOOTH_BASE_LOCK_NAME_H
#define SOOTH_BASE_LOCK_NAME_H

#include <stdbool.h>

/* Of the last part of a path: "index.lock", "lock-frontend", "db.lck". */
bool is_lock_name(const char *name);

#endif

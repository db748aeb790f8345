/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that programs give to files which exist only to keep others out, and to databases that are
 * files. */
#ifndef SOOTH_BASE_LOCK_NAME_H
#define SOOTH_BASE_LOCK_NAME_H

#include <stdbool.h>

#include "base/cursor.h"

/* Whether the last part of a path names a lock: "index.lock", "lock-frontend", "db.lck". */
bool is_lock_name(const char *name);
/* Whether a path names a database of SQLite, or its index of the write-ahead log. */
bool is_database_name(struct span path);

#endif

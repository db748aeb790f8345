/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognize the names that programs give to lock files, and to databases that are files. */
#pragma once

#include <stdbool.h>

#include "base/cursor.h"

/* Returns whether the last part of a path names a lock: "index.lock", "lock-frontend", "db.lck". */
bool is_lock_name(const char *name);
/* Returns whether a path names a SQLite database, or its index of the write-ahead log. */
bool is_database_name(struct span path);

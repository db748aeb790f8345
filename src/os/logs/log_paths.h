/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files that a process writes are logs, by their paths. */
#pragma once

#include "base/cursor.h"

/* Returns whether a file has records of a program for itself: conversations of agents, tables,
 * journals. */
bool log_path_is_data(struct span path);
bool log_path_is_named_log(struct span path);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A loop over the results of an iterator function until it returns NULL. The function takes a
 * position that starts at 0; break and continue work. Each container defines its own loop:
 * process_table_for_each (table, p).
 */
#pragma once

#include <stddef.h>

#define walk_each(type, name, next, ...)                                                           \
	for (size_t position_ = 0, once_ = 1; once_; once_ = 0)                                    \
		for (type name; (name = next(__VA_ARGS__, &position_));)

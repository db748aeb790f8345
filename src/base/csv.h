/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cell of comma-separated values (RFC 4180). A text that begins with = + - @ gets an apostrophe
 * in front if it is the name of a process or a folder, because a spreadsheet would run it as a
 * formula.
 */
#ifndef SOOTH_BASE_CSV_H
#define SOOTH_BASE_CSV_H

#include <stdbool.h>

#include "base/buffer.h"

void csv_put(struct buffer *out, const char *text, size_t size, bool may_be_formula);

#endif

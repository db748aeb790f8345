/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a cell of comma-separated values (RFC 4180). A spreadsheet would run a text that begins
 * with = + - @ as a formula: if `may_be_formula` (the name of a process or a folder), the text gets
 * an apostrophe in front.
 */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

void csv_put(struct buffer *out, const char *text, size_t size, bool may_be_formula);

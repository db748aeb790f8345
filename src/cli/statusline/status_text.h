/* SPDX-License-Identifier: BSD-2-Clause */
/* The line of `sooth statusline`. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"

/* Appends the line without a newline, at most `width` columns wide; nothing if there is no
 * agent. */
void status_text_put(struct buffer *out, unsigned width, bool has_color);

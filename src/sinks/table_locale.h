/* SPDX-License-Identifier: BSD-2-Clause */
/* What the locale, which is the program's business, can say. */
#ifndef SOOTH_SINKS_TABLE_LOCALE_H
#define SOOTH_SINKS_TABLE_LOCALE_H

#include <stdbool.h>

#include "base/buffer.h"

bool table_is_utf8(void);
/* Where it is not UTF-8, arrows ("10.0.0.2:5000→10.0.0.3:443") become "->", in place. */
void table_plain_arrows(struct buffer *text);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of text each for what is fine and what could not be checked. */
#ifndef SOOTH_ANALYZE_FINDING_TEXT_H
#define SOOTH_ANALYZE_FINDING_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* Rows of struct finding_fine_row; `has_words`: with the reasons. */
void finding_text_fine(const struct buffer *rows, bool has_words, struct buffer *out);
/* Rows of struct finding_blind_row. */
void finding_text_blind(const struct buffer *rows, struct buffer *out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of text for the checks that are fine, and one for those that could not be done. */
#ifndef SOOTH_ANALYZE_FINDING_TEXT_H
#define SOOTH_ANALYZE_FINDING_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* Appends a line of the checks that are fine. `rows`: struct finding_fine_row; `has_words`: with
 * the measurements. */
void finding_text_fine(const struct buffer *rows, bool has_words, struct buffer *out);
/* Appends a line of the checks that could not be done. `rows`: struct finding_blind_row. */
void finding_text_blind(const struct buffer *rows, struct buffer *out);

#endif

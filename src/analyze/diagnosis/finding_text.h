/* SPDX-License-Identifier: BSD-2-Clause */
/* What was found fine, and what could not be judged, each in a line for people. */
#ifndef SOOTH_ANALYZE_FINDING_TEXT_H
#define SOOTH_ANALYZE_FINDING_TEXT_H

#include <stdbool.h>

#include "base/buffer.h"

/* Of struct finding_fine_row; with what was found where `has_words`. */
void finding_text_fine(const struct buffer *rows, bool has_words, struct buffer *out);
/* Of struct finding_blind_row. */
void finding_text_blind(const struct buffer *rows, struct buffer *out);

#endif

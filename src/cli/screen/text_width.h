/* SPDX-License-Identifier: BSD-2-Clause */
/* Computes the width of text on a terminal, without using a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the next character, and sets its size; "?" for characters that move, hide or reorder
 * text. */
uint32_t text_decode(const char *text, size_t size, size_t *used);
/* Returns the columns of a character, which becomes "?" if it cannot be shown. Combining marks take
 * no column. */
int text_char_width(bool is_utf8, uint32_t *character);
int text_width(bool is_utf8, const char *text);
/* Returns how many bytes of a text fit into one row: whole words, if the first one fits. */
size_t text_row_of_words(bool is_utf8, const char *text, size_t size, int room);
/* Returns whether the locale uses UTF-8; else only ASCII is shown. */
bool text_is_utf8(void);

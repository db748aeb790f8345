/* SPDX-License-Identifier: BSD-2-Clause */
/* How much room text takes on a terminal, without one. */
#ifndef SOOTH_CLI_TEXT_WIDTH_H
#define SOOTH_CLI_TEXT_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The next character, and its bytes; "?" for what would move, hide or reorder text. */
uint32_t text_decode(const char *text, size_t size, size_t *used);
/* Columns of a character, which becomes "?" where it cannot be shown. Marks that combine with the
 * one before them take none. */
int text_char_width(bool is_utf8, uint32_t *character);
int text_width(bool is_utf8, const char *text);
/* How many bytes of a text stand in one row: whole words, where one fits. */
size_t text_row_of_words(bool is_utf8, const char *text, size_t size, int room);
/* The locale has UTF-8; else only ASCII is shown. */
bool text_is_utf8(void);

#endif

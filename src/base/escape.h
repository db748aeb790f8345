/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text from a target is data, never instructions to a terminal or a parser.
 *
 * Terminal: C0 and C1 controls, DEL, invalid UTF-8 bytes, and the Unicode
 * characters that reorder, join or hide text (bidirectional controls, zero-width
 * ones, blanks that are no spaces, line and paragraph separators) become \xNN per
 * byte; a newline becomes \n, a tab \t, a carriage return \r, a backslash stays.
 * JSON: RFC 8259 escapes; an invalid UTF-8 byte becomes U+FFFD; <, > and & are written as \u
 * escapes so that the text may stand inside HTML, and so are the controls and the characters that
 * reorder or hide text: a parser gets the same text, a reader of the file sees them.
 * XML: the five entities; the rest as for a terminal, so that neither a picture nor its file on a
 * terminal hides or reorders anything.
 */
#pragma once

#include "base/buffer.h"

void escape_terminal(struct buffer *out, const char *text, size_t size);
void escape_json(struct buffer *out, const char *text, size_t size); /* without the quotes */
void escape_xml(struct buffer *out, const char *text, size_t size);
/* Returns the length of the valid UTF-8 sequence at `text` (1 to 4), 0 if there is none: overlong
 * forms, surrogates and values above U+10FFFF are invalid. */
size_t utf8_length(const char *text, size_t size);
/* Returns the code point of a valid sequence of that length. */
uint32_t utf8_decode(const char *text, size_t length);
/* Returns the columns of the first character on a terminal, in the locale's encoding. Its size in
 * bytes goes to *bytes. */
unsigned terminal_columns(const char *text, size_t size, size_t *bytes);

/* Returns whether a shell takes the text as one word without quotes, so that a command to paste may
 * contain it. */
bool escape_is_shell_word(const char *text, size_t size);

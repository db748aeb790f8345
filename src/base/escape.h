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
#ifndef SOOTH_BASE_ESCAPE_H
#define SOOTH_BASE_ESCAPE_H

#include "base/buffer.h"

void escape_terminal(struct buffer *out, const char *text, size_t size);
void escape_json(struct buffer *out, const char *text, size_t size); /* without the quotes */
void escape_xml(struct buffer *out, const char *text, size_t size);
/* Length of the valid UTF-8 sequence at text (1 to 4), 0 when there is none:
 * overlong forms, surrogates and values above U+10FFFF are invalid. */
size_t utf8_length(const char *text, size_t size);
/* The code point of a valid sequence of that length. */
uint32_t utf8_decode(const char *text, size_t length);
/* Columns that the first character takes on a terminal, in the locale's encoding, and its bytes. */
unsigned terminal_columns(const char *text, size_t size, size_t *bytes);

/* A shell takes it as one word without quotes: a text of a target may stand in a command to paste.
 */
bool escape_is_shell_word(const char *text, size_t size);

#endif

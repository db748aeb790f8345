/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Escaping for the three places text goes to. All three walk the text one
 * character at a time, decide whether it may stand as it is, and copy runs of
 * such characters at once.
 */
#include "base/escape.h"

#include <string.h>
#include <wchar.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct range {
	uint32_t first;
	uint32_t last;
};

/*
 * Characters that reorder, hide or join text, or are drawn as nothing at all: those of the category
 * Cf, those that Unicode calls default-ignorable, and the blanks that are no spaces.
 */
static const struct range hidden[] = {
	{ 0x00ad, 0x00ad },   /* soft hyphen */
	{ 0x034f, 0x034f },   /* combining grapheme joiner */
	{ 0x0600, 0x0605 },   /* Arabic number signs: they enclose the digits behind them */
	{ 0x061c, 0x061c },   /* Arabic letter mark */
	{ 0x06dd, 0x06dd },   /* Arabic end of ayah */
	{ 0x070f, 0x070f },   /* Syriac abbreviation mark */
	{ 0x0890, 0x0891 },   /* Arabic pound and piastre marks */
	{ 0x08e2, 0x08e2 },   /* Arabic disputed end of ayah */
	{ 0x115f, 0x1160 },   /* Hangul fillers */
	{ 0x17b4, 0x17b5 },   /* Khmer inherent vowels */
	{ 0x180b, 0x180f },   /* Mongolian selectors and vowel separator */
	{ 0x200b, 0x200f },   /* zero width, left-to-right and right-to-left marks */
	{ 0x2028, 0x202e },   /* separators, embeddings, overrides */
	{ 0x2060, 0x206f },   /* word joiner, invisible operators, isolates */
	{ 0x2800, 0x2800 },   /* Braille blank */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xfe00, 0xfe0f },   /* variation selectors: they can carry hidden bytes */
	{ 0xfeff, 0xfeff },   /* byte order mark */
	{ 0xffa0, 0xffa0 },   /* halfwidth Hangul filler */
	{ 0xfff0, 0xfffb },   /* unassigned ignorables, interlinear annotation */
	{ 0xfffe, 0xffff },   /* no characters: XML has no place for them */
	{ 0x110bd, 0x110bd }, /* Kaithi number sign, and the one above */
	{ 0x110cd, 0x110cd }, { 0x13430, 0x13442 }, /* hieroglyph joiners and blanks */
	{ 0x16fe4, 0x16fe4 },			    /* Khitan filler */
	{ 0x1bca0, 0x1bca3 },			    /* shorthand format controls */
	{ 0x1d159, 0x1d159 },			    /* null notehead */
	{ 0x1d173, 0x1d17a },			    /* musical format controls */
	{ 0xe0000, 0xe0fff },			    /* tags, variation selectors supplement */
};

static bool is_hidden(uint32_t code)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

size_t utf8_length(const char *text, size_t size)
{
	const unsigned char *t = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (!size)
		return 0;
	if (t[0] < 0x80)
		return 1;
	if (t[0] < 0xc2 || t[0] > 0xf4)
		return 0;
	length = t[0] < 0xe0 ? 2 : t[0] < 0xf0 ? 3 : 4;
	if (size < length)
		return 0;
	/* The second byte rules out overlong forms, surrogates and what is above U+10FFFF. */
	if (t[0] == 0xe0)
		low = 0xa0;
	else if (t[0] == 0xed)
		high = 0x9f;
	else if (t[0] == 0xf0)
		low = 0x90;
	else if (t[0] == 0xf4)
		high = 0x8f;
	if (t[1] < low || t[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((t[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

uint32_t utf8_decode(const char *text, size_t length)
{
	const unsigned char *t = (const unsigned char *)text;
	uint32_t code = length == 1 ? t[0] : t[0] & (0x7fu >> length);

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (t[i] & 0x3f);
	return code;
}

unsigned terminal_columns(const char *text, size_t size, size_t *bytes)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, text, size, &state);
	int width = n && n <= size ? wcwidth(c) : 1;

	*bytes = n && n <= size ? n : 1;
	return width > 0 ? (unsigned)width : 0;
}

#define REPLACED_MAX 20

/* Writes the replacement of a character to `to` and returns its length; 0: the character stays as
 * it is. `length` 0: one byte that is not UTF-8. */
typedef size_t replace_fn(char to[REPLACED_MAX], const char *text, size_t length, uint32_t code);

/* Returns whether a character is unchanged in all three formats. */
static bool is_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' &&
	       c != '\'';
}

static void escape_text(struct buffer *out, const char *text, size_t size, replace_fn *replace)
{
	char to[REPLACED_MAX];
	size_t from = 0, at = 0;

	while (at < size) {
		size_t length, replaced;

		if (is_plain((unsigned char)text[at])) {
			at++;
			continue;
		}
		length = utf8_length(text + at, size - at);
		replaced = replace(to, text + at, length,
			length ? utf8_decode(text + at, length) : (unsigned char)text[at]);
		if (replaced) {
			buffer_append(out, text + from, at - from);
			buffer_append(out, to, replaced);
		}
		at += length ? length : 1;
		if (replaced)
			from = at;
	}
	if (from < size)
		buffer_append(out, text + from, size - from);
}

static size_t put_escape(char *to, const char *text)
{
	size_t size = strlen(text);

	memcpy(to, text, size);
	return size;
}

static char hex_digit(unsigned value)
{
	return "0123456789abcdef"[value & 15];
}

static size_t escape_for_terminal(char *to, const char *text, size_t length, uint32_t code)
{
	size_t size = 0;

	if (code == '\n')
		return put_escape(to, "\\n");
	if (code == '\t')
		return put_escape(to, "\\t");
	if (code == '\r')
		return put_escape(to, "\\r");
	if (length && !is_control(code) && !is_hidden(code))
		return 0;
	for (size_t i = 0; i < (length ? length : 1); i++) {
		unsigned byte = (unsigned char)text[i];

		to[size++] = '\\';
		to[size++] = 'x';
		to[size++] = hex_digit(byte >> 4);
		to[size++] = hex_digit(byte);
	}
	return size;
}

static size_t put_unit(char *to, uint32_t unit)
{
	to[0] = '\\';
	to[1] = 'u';
	for (unsigned i = 0; i < 4; i++)
		to[2 + i] = hex_digit(unit >> (12 - 4 * i));
	return 6;
}

static size_t escape_for_json(char *to, const char *text, size_t length, uint32_t code)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	(void)text;
	if (!length)
		return put_escape(to, REPLACEMENT);
	for (size_t i = 0; letters[i]; i += 2) {
		if (code != (unsigned char)letters[i])
			continue;
		to[0] = '\\';
		to[1] = letters[i + 1];
		return 2;
	}
	/*
	 * DEL, the C1 controls and what reorders or hides text need no escape by the RFC; a
	 * terminal, an editor or a review page obeys them all the same.
	 */
	if (!is_control(code) && !is_hidden(code) && code != '<' && code != '>' && code != '&')
		return 0;
	if (code < 0x10000)
		return put_unit(to, code);
	code -= 0x10000; /* a pair of UTF-16 units */
	return put_unit(to, 0xd800 + (code >> 10)) + put_unit(to + 6, 0xdc00 + (code & 0x3ff));
}

static size_t escape_for_xml(char *to, const char *text, size_t length, uint32_t code)
{
	switch (code) {
	case '&':
		return put_escape(to, "&amp;");
	case '<':
		return put_escape(to, "&lt;");
	case '>':
		return put_escape(to, "&gt;");
	case '"':
		return put_escape(to, "&quot;");
	case '\'':
		return put_escape(to, "&apos;");
	default:
		return escape_for_terminal(to, text, length, code);
	}
}

void escape_terminal(struct buffer *out, const char *text, size_t size)
{
	escape_text(out, text, size, escape_for_terminal);
}

void escape_json(struct buffer *out, const char *text, size_t size)
{
	escape_text(out, text, size, escape_for_json);
}

void escape_xml(struct buffer *out, const char *text, size_t size)
{
	escape_text(out, text, size, escape_for_xml);
}

bool escape_is_shell_word(const char *text, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/._-+,:=@%";

	for (size_t i = 0; i < size; i++) {
		if (!text[i] || !strchr(plain, text[i]))
			return false;
	}
	return size && *text != '-';
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uses libiberty, which knows C++ and both manglings of Rust, and delivers a name in pieces: an
 * endless name can be stopped halfway. __cxa_demangle() of the C++ library allocates as much as the
 * name requires, and does not know Rust.
 */
#include "base/demangle.h"

#ifdef HAVE_LIBIBERTY
#include <libiberty/demangle.h>
#include <setjmp.h>

struct piece_sink {
	char text[DEMANGLE_MAX];
	size_t size;
	jmp_buf too_long;
};

static void append_piece(const char *piece, size_t size, void *user)
{
	struct piece_sink *s = user;

	/* Neither library function has anything to free. */
	if (size > sizeof(s->text) - s->size)
		longjmp(s->too_long, 1);
	memcpy(s->text + s->size, piece, size);
	s->size += size;
}

/* Demangles a name. The legacy mangling of Rust is one of C++ with a hash at the end, so Rust is
 * tried first. */
static bool read_name(struct piece_sink *s, const char *name)
{
	s->size = 0;
	if (setjmp(s->too_long))
		return false;
	return rust_demangle_callback(name, DMGL_NO_OPTS, append_piece, s) ||
	       cplus_demangle_v3_callback(name, DMGL_NO_OPTS, append_piece, s);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c > 127;
}

/* Returns the end of an operator's name: operator<, operator->, operator<=> have no brackets. */
static size_t operator_end(struct span s, size_t at)
{
	static const char word[] = "operator";
	size_t size = sizeof(word) - 1;

	if (s.size - at < size || memcmp(s.data + at, word, size) ||
		(at && is_word(s.data[at - 1])))
		return at;
	at += size;
	/* A blank separates operator< from its template brackets. */
	for (int i = 0; i < 3 && at < s.size && s.data[at] && strchr("<>=-", s.data[at]); i++)
		at++;
	return at;
}

static bool is_arrow(struct span s, size_t at)
{
	return s.data[at] == '>' && at && (s.data[at - 1] == '-' || s.data[at - 1] == '=');
}

/* Returns the place after the bracket that closes the one at `at`; the end if none does. */
static size_t bracket_end(struct span s, size_t at)
{
	int depth = 0;

	for (; at < s.size; at++) {
		depth += s.data[at] == '<';
		depth -= s.data[at] == '>' && !is_arrow(s, at);
		if (!depth)
			return at + 1;
	}
	return at;
}

/* Writes a name without template arguments: std::vector<int>::push_back and
 * alloc::vec::Vec<T>::push lose them, but <T as Trait>::call does not, as it has no other name. */
static void put_short(struct buffer *out, struct span s)
{
	size_t begin = out->size;

	for (size_t at = 0; at < s.size;) {
		size_t end = operator_end(s, at);
		bool follows = out->size > begin && (is_word((char)out->data[out->size - 1]) ||
							    out->data[out->size - 1] == ':');

		if (end > at) {
			buffer_append(out, s.data + at, end - at);
			at = end;
			if (s.size - at > 1 && s.data[at] == ' ' && s.data[at + 1] == '<')
				at = bracket_end(s, at + 1);
		} else if (s.data[at] == '<' && follows && s.size - at > 1) {
			at = bracket_end(s, at);
			if (out->data[out->size - 1] == ':' && out->size - begin > 2)
				out->size -= 2; /* Vec::<T>::push */
		} else {
			buffer_char(out, s.data[at++]);
		}
	}
}

static bool put_demangled(struct buffer *out, struct span name, enum demangle_style style)
{
	struct piece_sink sink;
	char terminated[DEMANGLE_MAX + 1];

	if (name.size < 3 || name.size > DEMANGLE_MAX || name.data[0] != '_' ||
		(name.data[1] != 'Z' && name.data[1] != 'R') || memchr(name.data, '\0', name.size))
		return false;
	memcpy(terminated, name.data, name.size);
	terminated[name.size] = '\0';
	if (!read_name(&sink, terminated) || !sink.size)
		return false;
	if (style == DEMANGLE_SHORT)
		put_short(out, span_of(sink.text, sink.size));
	else
		buffer_append(out, sink.text, sink.size);
	return true;
}
#else
static bool put_demangled(struct buffer *out, struct span name, enum demangle_style style)
{
	(void)out;
	(void)name;
	(void)style;
	return false;
}
#endif

void demangle(struct buffer *out, struct span name, enum demangle_style style)
{
	if (style == DEMANGLE_NONE || !put_demangled(out, name, style))
		buffer_append(out, name.data, name.size);
}

static const char *const style_names[DEMANGLE_STYLES] = {
	[DEMANGLE_FULL] = "full",
	[DEMANGLE_SHORT] = "short",
	[DEMANGLE_NONE] = "symbol",
};

const char *demangle_style_name(size_t style)
{
	return style < DEMANGLE_STYLES ? style_names[style] : NULL;
}

enum demangle_style demangle_style_of(const char *name)
{
	for (size_t i = 0; name && i < DEMANGLE_STYLES; i++) {
		if (!strcmp(style_names[i], name))
			return (enum demangle_style)i;
	}
	return DEMANGLE_FULL;
}

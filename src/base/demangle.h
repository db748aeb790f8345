/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of C++ and Rust as their source names them, from the names of their symbols. The names
 * come from files that a target controls: some hundred bytes may stand for gigabytes, so what is
 * written is bounded.
 */
#ifndef SOOTH_BASE_DEMANGLE_H
#define SOOTH_BASE_DEMANGLE_H

#include "base/buffer.h"
#include "base/cursor.h"

#define DEMANGLE_MAX 1000 /* bytes of a name, mangled and not */

enum demangle_style {
	DEMANGLE_FULL,	/* with template arguments; never with parameters */
	DEMANGLE_SHORT, /* without both */
	DEMANGLE_NONE,	/* as the symbol names it */
	DEMANGLE_STYLES,
};

/* "full", "short" or "symbol"; NULL: there is none of that number. */
const char *demangle_style_name(size_t style);
/* The style of that name; NULL, or another name: full. */
enum demangle_style demangle_style_of(const char *name);
/* Appends the name, as it is if it is not mangled, not understood or too long. */
void demangle(struct buffer *out, struct span name, enum demangle_style style);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns the symbol names of C++ and Rust into names as in the source. The names come from files
 * that a target controls: a few hundred bytes may stand for gigabytes, so the output is bounded.
 */
#pragma once

#include "base/buffer.h"
#include "base/cursor.h"

#define DEMANGLE_MAX 1000 /* bytes of a name, mangled and not */

enum demangle_style {
	DEMANGLE_FULL,	/* name with template arguments; never with parameters */
	DEMANGLE_SHORT, /* without template arguments and parameters */
	DEMANGLE_NONE,	/* name as the symbol has it */
	DEMANGLE_STYLES,
};

/* Returns "full", "short" or "symbol"; NULL: no style has that number. */
const char *demangle_style_name(size_t style);
/* Returns the style of that name; full if the name is NULL or unknown. */
enum demangle_style demangle_style_of(const char *name);
/* Appends the readable name; appends `name` unchanged if it is not mangled, not understood or too
 * long. */
void demangle(struct buffer *out, struct span name, enum demangle_style style);

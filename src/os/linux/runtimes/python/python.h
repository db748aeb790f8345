/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of Python 3.9 to 3.14 by name, without a start flag. At a sample the kernel side reads
 * the interpreter's frames, and the names of each code object that it meets for the first time.
 * This side reads a name that the kernel side could not read (it is too long, or its memory is not
 * present) when the sample arrives. Such a name counts only if the object is still a code object
 * with the same name object and first line as at the sample. No value and no argument of the
 * program is read.
 */
#pragma once

#include "base/map.h"
#include "bpf/python.h"
#include "os/linux/runtimes/runtime.h"

struct python {
	struct runtime_state of;
	struct map objects;		/* process and object -> uint32_t name */
	struct python_program *program; /* program with the tasks that were read last; NULL: none */
	bool is_copied;			/* the stack is a copy, whose functions have no names */
	/* The sample: */
	const struct python_words *words;
	uint32_t next, count; /* of the sample's functions */
	bool is_usable;
	bool skips_first; /* the interpreter's innermost call has no function yet */
};

extern const struct runtime runtime_python;

/* Returns whether a file has an interpreter's name: python3.10, libpython3.10.so.1.0. */
static inline bool python_is_interpreter(struct span name)
{
	return span_starts(name, "python") || span_starts(name, "libpython");
}

/* Returns the name of a function in the process of the sample, or NAMES_NONE. */
uint32_t python_put(
	struct python *p, const struct profile_raw *raw, const struct profile_raw_python *frame);

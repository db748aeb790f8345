/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of Python 3.9 to 3.14 by name, without a start flag: the kernel side reads the
 * interpreter's frames at the sample, and the names of each code object that it meets for the first
 * time. A name that it could not read (too long, or in memory that is not there) is read by this
 * side as soon as the sample is here: such a name counts only if the object is a code object still,
 * with the same name object and first line as at the sample. Nothing else of the program is read:
 * no value, no argument.
 */
#ifndef SOOTH_OS_LINUX_PYTHON_H
#define SOOTH_OS_LINUX_PYTHON_H

#include "base/map.h"
#include "bpf/python.h"
#include "os/linux/runtimes/runtime.h"

struct python {
	struct runtime_state of;
	struct map objects;		/* process and object -> uint32_t name */
	struct python_program *program; /* whose tasks were read last; NULL: none */
	bool is_copied;			/* functions of a copied stack have no names */
	/* The sample: */
	const struct python_words *words;
	uint32_t next, count; /* of its functions */
	bool is_usable;
	bool skips_first; /* the innermost call of the interpreter has no function yet */
};

extern const struct runtime runtime_python;

/* python3.10, libpython3.10.so.1.0. */
static inline bool python_is_interpreter(struct span name)
{
	return span_starts(name, "python") || span_starts(name, "libpython");
}

/* The name of a function in the process of the sample, or NAMES_NONE. */
uint32_t python_put(
	struct python *p, const struct profile_raw *raw, const struct profile_raw_python *frame);

#endif

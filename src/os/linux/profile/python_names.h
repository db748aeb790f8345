/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions of Python 3.9 and 3.11 to 3.14 by name, without a start flag: the kernel side reads the
 * interpreter's frames at the sample, and the names of each code object that it meets for the first
 * time. A name that it could not read (too long, or in memory that is not there) is read by this
 * side as soon as the sample is here: such a name counts only if the object is a code object still,
 * with the same name object and first line as at the sample. Nothing else of the program is read:
 * no value, no argument.
 */
#ifndef SOOTH_OS_LINUX_PYTHON_NAMES_H
#define SOOTH_OS_LINUX_PYTHON_NAMES_H

#include "base/map.h"
#include "base/names.h"
#include "bpf/profile.h"
#include "os/linux/files/timeout.h"

struct python_names {
	int map;	    /* BPF: file -> struct profile_python */
	uint64_t *known;    /* set when that map has one; shared with the kernel side */
	struct map files;   /* uint64_t file -> struct profile_python */
	struct map objects; /* process and object -> uint32_t name */
	struct names names; /* "FUNCTION\0FILE" */
	struct timeout timeout;
};

#define PYTHON_NAME_NONE UINT32_MAX /* it could not be read */

void python_names_init(struct python_names *p, int map, uint64_t *known);
void python_names_fini(struct python_names *p);
/* A file that is mapped as code: perhaps an interpreter. */
void python_names_see(struct python_names *p, uint64_t file, const char *path, int fd);
/* Whether a frame is the interpreter's, so stands for functions of Python. */
bool python_names_is_eval(const struct python_names *p, const struct profile_raw_frame *frame);
/* Whether it has just been called: its own frame may not be there yet. */
bool python_names_is_entering(const struct python_names *p, const struct profile_raw_frame *frame);
/* The name of a function in the process of the sample, or PYTHON_NAME_NONE. */
uint32_t python_names_put(struct python_names *p, const struct profile_raw *raw,
	const struct profile_raw_python *frame);
/* A name that the kernel side has read. */
void python_names_take(struct python_names *p, const struct profile_python_name *r);
/* The function and the path of its source, NUL-terminated; borrowed until the next put. */
void python_names_get(
	const struct python_names *p, uint32_t name, const char **function, const char **file);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of one code object of Python, from the memory of its process. */
#ifndef SOOTH_OS_LINUX_PYTHON_CODE_H
#define SOOTH_OS_LINUX_PYTHON_CODE_H

#include <stddef.h>

#include "bpf/python.h"

#define PYTHON_LETTERS_MAX 300 /* of a name or path: longer ones are not read */
#define PYTHON_CODE_BYTES  256 /* the first bytes of a code object, which have all that is read */

/* With its own copies of everything: the call may outlive its caller. */
struct python_code {
	uint32_t pid;
	uint32_t unused;
	uint64_t type; /* of code objects */
	struct python_layout layout;
	struct profile_raw_python frame;
	size_t size; /* of the text; 0: it is not what it was at the sample */
	char text[2 * 4 * PYTHON_LETTERS_MAX + 32]; /* "FUNCTION\0FILE:LINE\0" */
};

/* Bytes that are read of a code object. */
size_t python_code_size(const struct python_layout *layout);
/* May wait: for a timeout_call() (timeout.h). */
void do_python_code(void *job);
/* The same of what the kernel side has read; no text: it was too long for that. */
void python_code_take(struct python_code *job, const struct profile_python_name *r);

#endif

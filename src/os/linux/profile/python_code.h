/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of one code object of Python 3.11, from the memory of its process. */
#ifndef SOOTH_OS_LINUX_PYTHON_CODE_H
#define SOOTH_OS_LINUX_PYTHON_CODE_H

#include <stddef.h>

#include "bpf/profile.h"

#define PYTHON_LETTERS_MAX 300 /* of a name or path: longer ones are not read */

/* With its own copies of everything: the call may outlive its caller. */
struct python_code {
	uint32_t pid;
	uint32_t unused;
	uint64_t type; /* of code objects */
	struct profile_raw_python frame;
	size_t size; /* of the text; 0: it is not what it was at the sample */
	char text[2 * 4 * PYTHON_LETTERS_MAX + 32]; /* "FUNCTION\0FILE:LINE\0" */
};

/* May wait: call it with a timeout (timeout.h). */
void python_code_read(struct python_code *job);

#endif

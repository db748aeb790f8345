/* SPDX-License-Identifier: BSD-2-Clause */
/* The name of one code object of Python, from the memory of its process. */
#pragma once

#include <stddef.h>

#include "bpf/python.h"

#define PYTHON_LETTERS_MAX 300 /* of a name or path: longer ones are not read */
#define PYTHON_TABLE_BYTES                                                                         \
	(32u << 10)	      /* of the lines of a code object: larger ones are not read           \
			       */
#define PYTHON_CODE_BYTES 256 /* first bytes of a code object, which contain all that is read */

/* Everything in it is a copy: if the call times out, it may run on when its caller has returned. */
struct python_code {
	uint32_t pid;
	uint32_t unused;
	uint64_t type; /* type of all code objects */
	struct python_layout layout;
	struct profile_raw_python frame;
	uint32_t line; /* the line that runs; 0: unknown */
	uint32_t more_unused;
	size_t size; /* size of the text; 0: the object has changed since the sample */
	char text[2 * 4 * PYTHON_LETTERS_MAX + 32]; /* "FUNCTION\0FILE:LINE\0" */
};

/* Returns how many bytes of a code object are read. */
size_t python_code_size(const struct python_layout *layout);
/* Reads the names. May wait: call it by timeout_call() (timeout.h). */
void do_python_code(void *job);
/* Reads the line that runs. May wait, too. */
void do_python_code_line(void *job);
/* Returns the line of an instruction by its distance from the first one; 0: unknown. */
uint32_t python_code_line(
	const unsigned char *table, size_t size, uint32_t first_line, uint64_t instruction);
/* Copies the names that the kernel side has read. No text: a name was too long for it. */
void python_code_copy_names(struct python_code *job, const struct profile_python_name *r);

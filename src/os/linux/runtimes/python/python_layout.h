/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a Python interpreter keeps the data that leads to names of functions. The layouts of 3.9 to
 * 3.12 are known by version; 3.13 and 3.14 have theirs in their file, for debuggers
 * (_Py_DebugOffsets). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/python.h"

/* The bytes of _PyRuntime, as in the file, that are read. */
#define PYTHON_DEBUG_BYTES 648

/* The number that Py_Version has for the first release. */
#define PYTHON_VERSION(major, minor) ((major) << 24 | (minor) << 16 | 0xf0)

/* Finds the layout. `version`: Py_Version. `debug`: the first bytes of _PyRuntime in the file.
 * False: the layout is unknown, or has numbers that no interpreter has. */
bool python_layout_find(
	struct python_layout *out, uint32_t version, const unsigned char *debug, size_t size);

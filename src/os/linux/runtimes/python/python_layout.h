/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an interpreter of Python keeps what leads to names of functions. The layout of 3.9
 * to 3.12 is known by version; 3.13 and 3.14 have it in their file, for debuggers
 * (_Py_DebugOffsets).
 */
#ifndef SOOTH_OS_LINUX_PYTHON_LAYOUT_H
#define SOOTH_OS_LINUX_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/python.h"

/* Of _PyRuntime, as the file has it: what is read of it. */
#define PYTHON_DEBUG_BYTES 648

/* As Py_Version has the first release. */
#define PYTHON_VERSION(major, minor) ((major) << 24 | (minor) << 16 | 0xf0)

/* `version`: Py_Version. `debug`: the first bytes of _PyRuntime in the file. False: not a layout
 * that is known, or numbers that no interpreter has. */
bool python_layout_find(
	struct python_layout *out, uint32_t version, const unsigned char *debug, size_t size);

#endif

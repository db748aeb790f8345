/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the script of an interpreter, for people: "python3 rates.py". */
#pragma once

#include "base/cursor.h"

/* Returns the file name of the script, Python's module or Java's class: a part of `arguments`,
 * which are NUL-separated and may be cut. Empty: there is none, or only a text (-c, -e), or `name`,
 * the name of the process, is already that of the script. */
struct span script_name_of(struct span name, struct span arguments);

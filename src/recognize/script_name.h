/* SPDX-License-Identifier: BSD-2-Clause */
/* The script that distinguishes one interpreter from another, for people: "python3 rates.py". */
#ifndef SOOTH_RECOGNIZE_SCRIPT_NAME_H
#define SOOTH_RECOGNIZE_SCRIPT_NAME_H

#include "base/cursor.h"

/*
 * Returns the file name of the script, Python's module or Java's class; a part of `arguments`,
 * which are NUL-separated and may be cut. Empty: it runs none, or only a text (-c, -e), or `name`,
 * the process's own, is that of the script already.
 */
struct span script_name_of(struct span name, struct span arguments);
/* Whether a program is one whose scripts are named: python3.11, bash, java. */
bool script_names_program(struct span program);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds a function without a symbol by a text that its code refers to, and the rest of a function
 * that a compiler has put elsewhere. It reads x86-64 files with an unwind table (.eh_frame_hdr),
 * which shows where each function starts. The file is as untrusted as in elf.h.
 */
#pragma once

#include "symbols/elf.h"
#include "symbols/elf_exports.h"

/* Finds the first function that refers to the text; false: none, or the file cannot be read. */
bool elf_function_of_text(int fd, const char *text, struct elf_function *out);
/* Finds the rest of a function: most of its jumps lead into the rest, none to the start of the
 * rest. Files that are not stripped have a symbol for it (GCC: FUNCTION.cold). Nearly all of the
 * interpreter of Python 3.14 in Debian is such a rest. False: there is none. */
bool elf_function_rest(int fd, const struct elf_export *function, struct elf_export *rest);

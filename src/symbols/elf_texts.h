/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function without a symbol, by a text of its own that its code refers to, and the rest of a
 * function that a compiler has put elsewhere: of x86-64, with an unwind table (.eh_frame_hdr) that
 * shows where each one starts. The file is as untrusted as in elf.h.
 */
#ifndef SOOTH_SYMBOLS_ELF_TEXTS_H
#define SOOTH_SYMBOLS_ELF_TEXTS_H

#include "symbols/elf.h"
#include "symbols/elf_exports.h"

/* The first function that refers to the text; false: none, or the file is not read. */
bool elf_function_of_text(int fd, const char *text, struct elf_function *out);
/* The rest of a function: most of its jumps lead into it, none to its start. Files that are not
 * stripped have a symbol for it (GCC: FUNCTION.cold). Nearly all of the interpreter of Python 3.14
 * in Debian is such a rest. False: there is none. */
bool elf_function_rest(int fd, const struct elf_export *function, struct elf_export *rest);

#endif

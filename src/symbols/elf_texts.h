/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function without a symbol, by a text of its own that its code refers to: of x86-64, with an
 * unwind table (.eh_frame_hdr) that shows where it starts. The file is as untrusted as in elf.h.
 */
#ifndef SOOTH_SYMBOLS_ELF_TEXTS_H
#define SOOTH_SYMBOLS_ELF_TEXTS_H

#include "symbols/elf.h"

/* The first function that refers to the text; false: none, or the file is not read. */
bool elf_function_of_text(int fd, const char *text, struct elf_function *out);

#endif

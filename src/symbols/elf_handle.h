/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that libelf has open: how to close it. */
#ifndef SOOTH_SYMBOLS_ELF_HANDLE_H
#define SOOTH_SYMBOLS_ELF_HANDLE_H

#include <libelf.h>

/* Ends an Elf, for _cleanup_(elf_cleanup). */
static inline void elf_cleanup(Elf **elf)
{
	elf_end(*elf);
}

#endif

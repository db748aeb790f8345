/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that libelf has open: how to close it. */
#pragma once

#include <libelf.h>

/* Ends an Elf, for _cleanup_(elf_cleanup). */
static inline void elf_cleanup(Elf **elf)
{
	elf_end(*elf);
}

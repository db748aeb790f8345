/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that libelf has open: how to close it, and the error if it is no ELF file. */
#ifndef SOOTH_SYMBOLS_ELF_HANDLE_H
#define SOOTH_SYMBOLS_ELF_HANDLE_H

#include <errno.h>
#include <libelf.h>

#include "base/error.h"

/* Ends an Elf, for _cleanup_(elf_cleanup). */
static inline void elf_cleanup(Elf **elf)
{
	elf_end(*elf);
}

static inline int elf_refuse(struct sooth_error *err, const char *why)
{
	error_set(err, -EINVAL, SOOTH_FAULT_IO, "read symbols");
	error_why(err, "%s", why);
	return -EINVAL;
}

#endif

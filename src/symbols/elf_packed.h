/* SPDX-License-Identifier: BSD-2-Clause */
/* A section that is packed with xz: .gnu_debugdata. */
#ifndef SOOTH_SYMBOLS_ELF_PACKED_H
#define SOOTH_SYMBOLS_ELF_PACKED_H

#include "base/buffer.h"
#include "symbols/elf_sections.h"

#define ELF_PACKED_MAX (64u << 20) /* bytes, packed and not */

/* Appends its bytes. False: it cannot be read, is damaged or too large. */
bool elf_unpack(int fd, const struct elf_section *section, struct buffer *out);

#endif

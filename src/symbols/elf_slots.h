/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots through which code of an ELF file calls functions (those of its PLT, of its global offset
 * table): the symbol whose address the loader puts there, and where this file defines it. Another
 * file may define it too and come first: the file does not show that.
 *
 * The file is as untrusted as in elf.h.
 */
#ifndef SOOTH_SYMBOLS_ELF_SLOTS_H
#define SOOTH_SYMBOLS_ELF_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

struct elf_slots;

struct elf_slot {
	const char *name; /* until the slots are closed; "": none */
	uint64_t address; /* of the function, as linked */
	bool is_defined;  /* by this file */
};

/* 0, or -EINVAL when it is no valid ELF file, or -ENOMEM. The descriptor is borrowed. */
int elf_slots_open(int fd, struct elf_slots **out);
/* The slot at an address (as linked); false if the loader fills none there. */
bool elf_slots_find(const struct elf_slots *s, uint64_t address, struct elf_slot *out);
/* Whether it calls a function of another file that `is_wanted` says yes to. */
bool elf_slots_call(const struct elf_slots *s, bool (*is_wanted)(const char *name));
/* Takes NULL. */
void elf_slots_close(struct elf_slots *s);

#endif

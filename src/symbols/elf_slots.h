/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots through which code of an ELF file calls functions (in its PLT, or its global offset table):
 * the symbol whose address the loader puts into the slot, and the place of a definition in this
 * file. Another file may define the symbol too and come first: this file does not show that.
 *
 * The file is as untrusted as in elf.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct elf_slots;

struct elf_slot {
	const char *name; /* valid until the slots are closed; "": none */
	uint64_t address; /* address of the function, as linked */
	bool is_defined;  /* the function is defined by this file */
};

/* Opens the slots of a file. Returns 0, -EINVAL when it is no valid ELF file, or -ENOMEM. The
 * descriptor is borrowed. */
int elf_slots_open(int fd, struct elf_slots **out);
/* Finds the slot at an address (as linked); false if the loader fills none there. */
bool elf_slots_find(const struct elf_slots *s, uint64_t address, struct elf_slot *out);
/* Returns whether the file calls a function of another file for which `is_wanted` returns true. */
bool elf_slots_call(const struct elf_slots *s, bool (*is_wanted)(const char *name));
/* Closes the slots. NULL is allowed. */
void elf_slots_close(struct elf_slots *s);

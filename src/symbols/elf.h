/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds functions of an ELF file by name, from an open descriptor: their offset in the file (for a
 * uprobe), address and length. Names come from .dynsym and .symtab, without their versions; if a
 * name has several versions, its default counts.
 *
 * The file belongs to the target: it may be anything, and change while it is read. A parser without
 * privileges reads it (base/parser.h), never maps it; only regular files, little-endian, 64-bit,
 * for a known machine.
 *
 * Not seen: symbols of files without section headers, symbols in .gnu_debugdata or in separate
 * debug files, functions whose symbol has no type. Indirect functions (IFUNC) are reported, not
 * resolved: their code is the resolver.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "symbols/instruction.h"

#define ELF_NAMES_MAX	  256 /* names requested */
#define ELF_FUNCTIONS_MAX 256 /* functions found */
#define ELF_NAMES_WORDS	  (ELF_NAMES_MAX / 64)

/* Tables in which a name was found; a lower value is preferred. */
enum elf_source {
	ELF_DYNAMIC,	 /* exported, in its default version or in none */
	ELF_DYNAMIC_OLD, /* exported in versions for old programs only */
	ELF_GLOBAL,	 /* .symtab, as in a static executable */
	/* in .symtab and local: several source files may use the name for different functions */
	ELF_LOCAL,
};

struct elf_function {
	/* bit i % 64 of word i / 64: the i-th requested name is this one */
	uint64_t names[ELF_NAMES_WORDS];
	uint64_t offset;	/* offset in the file */
	uint64_t address;	/* address as linked */
	uint64_t size;		/* 0: unknown */
	enum elf_source source; /* the best source of its names */
	bool is_ifunc;
};

struct elf_found {
	enum machine machine;
	size_t count;
	struct elf_function functions[ELF_FUNCTIONS_MAX]; /* functions, sorted by offset */
	bool has_interpreter;				  /* the program loads libraries */
	/* a limit was reached: there may be more */
	bool is_cut;
};

/* Looks for `count` names (at most ELF_NAMES_MAX). Aliases are one function with several names. A
 * name stands for several functions only if they come from the same source. Returns 0, even if
 * nothing was found; on failure a negative errno, and *out is unchanged: -EINVAL no regular file or
 * no valid ELF, -EOPNOTSUPP another class or machine. */
int elf_functions(int fd, const char *const *names, size_t count, struct elf_found *out);
/* Return whether a function has the i-th requested name, and the first of its names. */
bool elf_function_has(const struct elf_function *function, size_t i);
size_t elf_function_first(const struct elf_function *function);
/* Reads up to `size` bytes of the function from its entry, and none after its end if that is known.
 * Returns the number of bytes, or a negative errno. */
ssize_t elf_code(int fd, const struct elf_function *function, void *out, size_t size);

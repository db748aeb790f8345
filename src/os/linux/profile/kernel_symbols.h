/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions of the kernel and its modules by address, from /proc/kallsyms. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERNEL_SYMBOL_MAX 63

struct kernel_symbol {
	uint64_t address; /* the input */
	uint64_t begin;	  /* start of the function; 0: not found */
	char name[KERNEL_SYMBOL_MAX + 1];
};

/* Fills in `symbols`, which are sorted by address. Returns 0; -EPERM: the kernel hides its
 * addresses from this caller; or another negative errno. */
int kernel_symbols(struct kernel_symbol *symbols, size_t count);
/* Fills in `symbols` from any part of the file's bytes, for tests. Returns how many lines had an
 * address. */
size_t kernel_symbols_parse(
	struct kernel_symbol *symbols, size_t count, const void *data, size_t size);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variables that a library in a process exports, by the dynamic section in the memory of the
 * process, which may lie. The functions allocate nothing: they run in the child of a
 * timeout_call().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_NAME_SIZE 64

/* A library of a process; the caller sets `pid` and `base`, where its file begins. */
struct process_image {
	pid_t pid;
	uint64_t base;
	uint64_t symbols, strings, hash; /* addresses from the dynamic section */
};

/* Opens the image of an ELF file in memory. False: it is no 64-bit ELF file, or has no GNU hash
 * table. */
bool do_open_image(struct process_image *i);
/* Returns the address of an exported variable; 0: there is none. */
uint64_t do_find_symbol(const struct process_image *i, const char *name);
/* Reads a string, which may end near the end of a page with nothing behind it. */
bool do_read_name(pid_t pid, uint64_t address, char out[PROCESS_NAME_SIZE]);

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the functions of a file that belong to an allocator, and the best place to probe each.
 *
 * A C++ operator new that throws has no return probe: on a frame that is unwound a return probe
 * would end the program. Its own return instructions are probed instead, unless all its paths lead
 * to another function that is probed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/elf.h"

#define ALLOCATOR_SITES_MAX 320

struct allocator_site {
	uint8_t place;	  /* enum heap_place: what the site is */
	uint8_t function; /* enum heap_function; 0 if the place is no function */
	bool has_return;  /* a return probe is needed at the same instruction too */
	bool is_emulated;
	bool keeps_return; /* the return address is still in its place, so a return probe works */
	uint64_t entry;	   /* offset of the function in the file */
	uint64_t offset;   /* offset of the instruction in the file */
	const char *why;
};

struct allocator_file {
	int file;	  /* open while the handler runs */
	const char *path; /* as the process names it */
	uint64_t device, inode;
	size_t count; /* number of sites; 0: the file defines none */
	struct allocator_site sites[ALLOCATOR_SITES_MAX];
	bool is_opaque;	     /* if it is a program: it is static, and its allocator was not found */
	bool has_unseen_new; /* has an operator new whose return instructions were not found */
};

/* Fills in the sites of an open file; `kernel` as KERNEL_RELEASE() makes it. */
void allocator_sites_find(struct allocator_file *file, uint32_t kernel);
/* Returns whether an open file defines, under any name, functions that allocate and functions that
 * free. */
bool allocator_is_in(int file);
/* Returns false if the file only has places that are no functions of an allocator. */
bool allocator_file_defines(const struct allocator_file *file);

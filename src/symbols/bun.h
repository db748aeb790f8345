/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contents of section .bun, made by `bun build --compile`: 8 bytes of length, then modules, a
 * table of them, options, and at the end 32 bytes of offsets and sizes, and a marker line. The
 * bytes come from an untrusted file. The size of a table row differs between versions of Bun and is
 * not stored in the section.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUN_HEAD_SIZE  8  /* the length, at the start of the section */
#define BUN_END_SIZE   48 /* the offsets and the marker line, at the end of that length */
#define BUN_ROW_LEAST  16 /* name and contents of a module */
#define BUN_ROW_MOST   128
#define BUN_ROW_STEP   4
#define BUN_NAME_BEGIN "/$bunfs/root/"

/* A place, counted from the start of the section. */
struct bun_place {
	uint64_t offset;
	uint64_t size;
};

struct bun_places {
	struct bun_place modules; /* the table */
	struct bun_place options; /* the built-in command line; may be empty */
	uint32_t entry;		  /* index of the module that starts the program */
};

/* Returns the offset of the end, read from the first BUN_HEAD_SIZE bytes; 0: no such section. */
uint64_t bun_end(const void *head, size_t size, uint64_t section_size);
/* Reads the places from the BUN_END_SIZE bytes at the end. */
bool bun_parse_end(struct bun_places *places, const void *data, size_t size, uint64_t section_size);
/* Returns whether the table may have rows of that size. */
bool bun_may_be_row(const struct bun_places *places, unsigned row_size);
/* Reads name and contents of a module from the first BUN_ROW_LEAST bytes of its row. */
bool bun_parse_row(struct bun_place *name, struct bun_place *contents, const void *data,
	size_t size, uint64_t section_size);

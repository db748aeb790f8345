/* SPDX-License-Identifier: BSD-2-Clause */
/* The mappings of a process by address: which file contains the code at an address. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct stack_mapping {
	uint64_t from, to, offset, inode;
	uint64_t file; /* profile_file_key() */
	uint32_t device_major, device_minor;
	bool is_code, is_vdso;
};

/* Sets `file` from the other members. */
void stack_mapping_identify(struct stack_mapping *m);
/* Appends the mappings in the text of a /proc/PID/maps. */
void stack_mappings_parse(struct buffer *mappings, const void *text, size_t size);
/* Adds a mapping that was made later: it replaces the parts of earlier mappings that it covers. */
void stack_mappings_put(struct buffer *mappings, const struct stack_mapping *m);
/* Returns the mapping at an address; NULL: none. */
const struct stack_mapping *stack_mappings_find(const struct buffer *mappings, uint64_t address);

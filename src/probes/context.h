/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * context: facts for a later diagnosis that only a living process has: mapped files with their
 * addresses and build ids, thread names, the command line. All records are definitions, repeated at
 * the start of each segment.
 */
#pragma once

#include <sooth/record.h>

enum context_kind {
	CONTEXT_COMMAND = 0x0280,
	CONTEXT_THREAD = 0x0281,
	CONTEXT_MAPPING = 0x0282,
};

struct context_command {
	struct sooth_record record;
	uint8_t arguments_state;
	uint8_t executable_state;
	uint8_t mappings_state; /* whether all mappings follow */
	uint8_t unused[5];
	struct sooth_text arguments;
	struct sooth_text executable;
};

struct context_thread {
	struct sooth_record record; /* tid is set */
	struct sooth_text name;
};

enum context_protection {
	CONTEXT_READ = 1,
	CONTEXT_WRITE = 2,
	CONTEXT_EXECUTE = 4,
	CONTEXT_SHARED = 8,
};

struct context_mapping {
	struct sooth_record record;
	uint64_t from;
	uint64_t to;
	uint64_t offset;
	uint64_t inode;
	uint32_t device_major;
	uint32_t device_minor;
	uint32_t protection; /* enum context_protection */
	uint8_t build_id_state;
	uint8_t unused[3];
	struct sooth_text path;
	struct sooth_text build_id; /* lower-case hexadecimal */
};

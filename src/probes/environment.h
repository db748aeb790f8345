/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * environment: names of the environment variables a process was started with,
 * never their values, which contain keys and tokens. ENVIRONMENT_PROCESS ends the
 * records of one snapshot.
 */
#pragma once

#include <sooth/record.h>

enum environment_kind {
	ENVIRONMENT_VARIABLE = 0x0b00,
	ENVIRONMENT_PROCESS = 0x0b01, /* ends the records of one snapshot */
};

struct environment_variable {
	struct sooth_record record;
	uint64_t size_bytes; /* size of the value; without a name: of the whole entry */
	/* Redacted: the entry has no plain name, and may be part of a value that the process
	 * overwrote. */
	uint8_t name_state;
	uint8_t unused[7];
	struct sooth_text name;
};

struct environment_process {
	struct sooth_record record;
	uint32_t variables;	 /* number of records */
	uint8_t variables_state; /* truncated: there are more; else why none could be read */
	uint8_t unused[3];
};

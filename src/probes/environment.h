/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * environment: names of the environment variables a process was started with.
 * Values never: they hold keys and tokens. All records of one reading lie between
 * two ENVIRONMENT_PROCESS.
 */
#ifndef SOOTH_PROBES_ENVIRONMENT_H
#define SOOTH_PROBES_ENVIRONMENT_H

#include <sooth/record.h>

enum environment_kind {
	ENVIRONMENT_VARIABLE = 0x0b00,
	ENVIRONMENT_PROCESS = 0x0b01, /* all of the process have been told */
};

struct environment_variable {
	struct sooth_record record;
	uint64_t size_bytes; /* of the value; of all bytes where the name is not told */
	/* Redacted: what stands there is no plain name, and may be part of a value that the
	 * process overwrote. */
	uint8_t name_state;
	uint8_t unused[7];
	struct sooth_text name;
};

/* Ends a reading. */
struct environment_process {
	struct sooth_record record;
	uint32_t variables;	 /* told */
	uint8_t variables_state; /* truncated: more than are told; else why none could be read */
	uint8_t unused[3];
};

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects: the live objects of a language runtime by class, as the runtime itself counts them. It
 * works for that, and may pause the program, so this probe is used only on request.
 */
#pragma once

#include <sooth/record.h>

#define OBJECTS_CLASSES_MOST 8192 /* of a snapshot, largest first */

enum objects_kind {
	OBJECTS_CLASS = 0x1600,
	OBJECTS_PROCESS = 0x1601, /* ends the records of one snapshot, also if there are none */
};

struct objects_class {
	struct sooth_record record;
	uint64_t instances;
	uint64_t bytes;
	uint8_t is_of_runtime; /* of the runtime and its library, not of the program */
	uint8_t unused[7];
	struct sooth_text name;
};

struct objects_process {
	struct sooth_record record;
	uint64_t taken_ns; /* time that the runtime took to answer */
	uint32_t classes;  /* number of records */
	uint8_t state; /* of both; truncated: the smallest classes are missing; absent: no runtime
			*/
	uint8_t reason_state; /* absent: there was an answer */
	uint8_t unused[2];
	struct sooth_text reason; /* why there is no answer */
};

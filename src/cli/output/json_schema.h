/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes JSON schemas of the JSON that sooth writes, from the field tables. */
#pragma once

#include <stdio.h>

#include "base/error.h"

enum json_schema_of {
	JSON_SCHEMA_REPORT,   /* an object: -j */
	JSON_SCHEMA_LINE,     /* each line of --format jsonl, and of -j of a stream */
	JSON_SCHEMA_MONITOR,  /* each line that the monitor writes to readers */
	JSON_SCHEMA_MEMTRACK, /* each line of `memtrack track`: members without a value are missing
			       */
};

int json_schema_write(enum json_schema_of of, FILE *stream, struct sooth_error *err);

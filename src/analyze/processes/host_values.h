/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of the probe host, and the rows of the view. */
#ifndef SOOTH_ANALYZE_HOST_VALUES_H
#define SOOTH_ANALYZE_HOST_VALUES_H

#include "model/field.h"
#include "probes/host.h"

struct load_row {
	struct host_load load;
};

struct memory_row {
	struct host_memory memory;
	uint64_t swap_used_bytes;
};

struct tracer_row {
	struct host_tracer tracer;
};

/* Whether the record is one of load; what an older writer did not tell is not measured. */
bool host_load_take(struct host_load *out, const struct sooth_record *r);

extern const struct sooth_schema load_row_schema;
extern const struct sooth_schema memory_row_schema;
extern const struct sooth_schema tracer_row_schema;

#endif

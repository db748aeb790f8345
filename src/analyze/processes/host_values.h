/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the probe host, and rows of the view. */
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

/* Whether it is a load record; fields that an older writer lacks are not measured. */
bool host_load_take(struct host_load *out, const struct sooth_record *r);

extern const struct sooth_schema load_row_schema;
extern const struct sooth_schema memory_row_schema;
extern const struct sooth_schema tracer_row_schema;

#endif

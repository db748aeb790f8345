/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "host". */
#include "analyze/processes/host_values.h"

#include <string.h>

#include "analyze/records.h"
#include "model/schema.h"

ROW_FIELDS(load_fields, LOAD_ROW, load_row);

const struct sooth_schema load_row_schema = {
	.name = "status.load",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct load_row),
	SCHEMA_FIELDS(load_fields),
	.line = "load: {load_1m} {load_5m} {load_15m} on {cpus CPU}; {running} of {tasks thread} "
		"running; up {uptime_ns}; pressure (10 s): CPU {cpu_some_10s_percent} %, I/O "
		"{io_some_10s_percent} "
		"%",
};

ROW_FIELDS(memory_fields, MEMORY_ROW, memory_row);

const struct sooth_schema memory_row_schema = {
	.name = "status.memory",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct memory_row),
	SCHEMA_FIELDS(memory_fields),
	.line = "memory: {available_bytes} available of {total_bytes}, {free_bytes} free; swap: "
		"{swap_used_bytes} used of {swap_total_bytes}; pressure (10 s): {some_10s_percent} "
		"%, all "
		"tasks {full_10s_percent} %",
};

ROW_FIELDS(tracer_fields, TRACER_ROW, tracer_row);

const struct sooth_schema tracer_row_schema = {
	.name = "tracers",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct tracer_row),
	SCHEMA_FIELDS(tracer_fields),
};

bool host_load_take(struct host_load *out, const struct sooth_record *r)
{
	size_t size = (size_t)r->fixed_words * SOOTH_RECORD_WORD;

	if (!record_as(r, HOST_LOAD, HOST_LOAD_LEAST))
		return false;
	*out = (struct host_load){ .forks_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };
	memcpy(out, r, size < sizeof(*out) ? size : sizeof(*out));
	if (size < sizeof(*out))
		out->forks_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return true;
}

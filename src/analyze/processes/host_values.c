/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "host". */
#include "analyze/processes/host_values.h"

#include <string.h>

#include "analyze/records.h"
#include "model/schema.h"

#define FIGURE(row_, name_, type_, member_, state_, help_, ...)                                    \
	{                                                                                          \
		.name = name_, .type = type_, FIELD_AT(row_, member_),                             \
		FIELD_STATE_AT(row_, state_), .help = help_, ##__VA_ARGS__                         \
	}
#define LOAD(name_, help_)                                                                         \
	FIGURE(load_row, #name_, SOOTH_FIELD_REAL, load.name_, load.load_state, help_,             \
		.decimals = 2)
#define THREADS(name_, help_)                                                                      \
	FIGURE(load_row, #name_, SOOTH_FIELD_UNSIGNED, load.name_, load.load_state, help_)
#define SHARE(row_, name_, member_, state_, help_)                                                 \
	FIGURE(row_, name_, SOOTH_FIELD_REAL, member_, state_, help_, .decimals = 2,               \
		.unit = SOOTH_UNIT_PERCENT)
#define MEMORY(name_, member_, state_, help_)                                                      \
	FIGURE(memory_row, name_, SOOTH_FIELD_UNSIGNED, member_, memory.state_, help_,             \
		.unit = SOOTH_UNIT_BYTES)

static const struct sooth_field load_fields[] = {
	LOAD(load_1m, "load over 1 minute"),
	LOAD(load_5m, "load over 5 minutes"),
	LOAD(load_15m, "load over 15 minutes"),
	THREADS(running, "runnable threads"),
	THREADS(tasks, "threads of the host"),
	FIELD_OF(UNSIGNED, load_row, load.cpus, cpus, "number of online CPUs of the host"),
	FIGURE(load_row, "uptime_ns", SOOTH_FIELD_UNSIGNED, load.uptime_ns, load.uptime_state,
		"time since boot", .unit = SOOTH_UNIT_NS),
	SHARE(load_row, "cpu_some_10s_percent", load.cpu_some_10s, load.cpu_state,
		"share of the last 10 s in which some task waited for a CPU"),
	SHARE(load_row, "io_some_10s_percent", load.io_some_10s, load.io_state,
		"share of the last 10 s in which some task waited for I/O"),
	SHARE(load_row, "io_full_10s_percent", load.io_full_10s, load.io_state,
		"share of the last 10 s in which all tasks waited"),
};

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

static const struct sooth_field memory_fields[] = {
	MEMORY("total_bytes", memory.total_bytes, memory_state, "memory of the host"),
	MEMORY("available_bytes", memory.available_bytes, available_state,
		"memory available without swapping"),
	MEMORY("free_bytes", memory.free_bytes, memory_state, "unused memory"),
	MEMORY("swap_total_bytes", memory.swap_total_bytes, swap_state, "swap space"),
	MEMORY("swap_used_bytes", swap_used_bytes, swap_state, "swap space used"),
	SHARE(memory_row, "some_10s_percent", memory.some_10s, memory.pressure_state,
		"share of the last 10 s in which some task waited for memory"),
	SHARE(memory_row, "full_10s_percent", memory.full_10s, memory.pressure_state,
		"share of the last 10 s in which all tasks waited"),
};

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

#define TEXT(name_, help_, ...)                                                                    \
	{                                                                                          \
		.name = #name_, .type = SOOTH_FIELD_TEXT, FIELD_AT(tracer_row, tracer.name_),      \
		.help = help_, ##__VA_ARGS__                                                       \
	}

static const struct sooth_field tracer_fields[] = {
	TEXT(name, "name of the tracer", .label = "TRACER", .is_key = true),
	TEXT(version, "version of its package", FIELD_STATE_AT(tracer_row, tracer.version_state)),
	FIELD_OF(ENUM, tracer_row, tracer.reach, reach,
		"what the user of sooth can trace with this tool at present", .label = "CAN WATCH",
		.names = &host_reach_names),
	TEXT(path, "path of the program; null: sooth itself",
		FIELD_STATE_AT(tracer_row, tracer.path_state)),
	TEXT(need, "the privilege it needs", .label = "NEEDS", .may_shrink = true),
	TEXT(missing, "what is missing to trace more; null: nothing", .is_hidden = true,
		FIELD_STATE_AT(tracer_row, tracer.missing_state)),
	TEXT(purpose, "what it shows", .is_hidden = true),
};

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

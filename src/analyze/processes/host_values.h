/* SPDX-License-Identifier: BSD-2-Clause */
/* Records of the probe host, and rows of the view. */
#ifndef SOOTH_ANALYZE_HOST_VALUES_H
#define SOOTH_ANALYZE_HOST_VALUES_H

#include "model/row_list.h"
#include "probes/host.h"

#define LOAD_ROW(F, S)                                                                             \
	F(S, ALSO, REAL, load.load_1m, load_1m, WITH(load.load_state), "load over 1 minute",       \
		.decimals = 2)                                                                     \
	F(S, ALSO, REAL, load.load_5m, load_5m, WITH(load.load_state), "load over 5 minutes",      \
		.decimals = 2)                                                                     \
	F(S, ALSO, REAL, load.load_15m, load_15m, WITH(load.load_state), "load over 15 minutes",   \
		.decimals = 2)                                                                     \
	F(S, ALSO, U32, load.running, running, WITH(load.load_state), "runnable threads")          \
	F(S, ALSO, U32, load.tasks, tasks, WITH(load.load_state), "threads of the host")           \
	F(S, ALSO, U32, load.cpus, cpus, ALWAYS, "number of online CPUs of the host")              \
	F(S, ALSO, U64, load.uptime_ns, uptime_ns, WITH(load.uptime_state), "time since boot",     \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, ALSO, REAL, load.cpu_some_10s, cpu_some_10s_percent, WITH(load.cpu_state),            \
		"share of the last 10 s in which some task waited for a CPU", .decimals = 2,       \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, ALSO, REAL, load.io_some_10s, io_some_10s_percent, WITH(load.io_state),               \
		"share of the last 10 s in which some task waited for I/O", .decimals = 2,         \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, ALSO, REAL, load.io_full_10s, io_full_10s_percent, WITH(load.io_state),               \
		"share of the last 10 s in which all tasks waited", .decimals = 2,                 \
		.unit = SOOTH_UNIT_PERCENT)

struct load_row {
	struct host_load load;
	ROW_MEMBERS(LOAD_ROW, load_row)
};

#define MEMORY_ROW(F, S)                                                                           \
	F(S, ALSO, U64, memory.total_bytes, total_bytes, WITH(memory.memory_state),                \
		"memory of the host", .unit = SOOTH_UNIT_BYTES)                                    \
	F(S, ALSO, U64, memory.available_bytes, available_bytes, WITH(memory.available_state),     \
		"memory available without swapping", .unit = SOOTH_UNIT_BYTES)                     \
	F(S, ALSO, U64, memory.free_bytes, free_bytes, WITH(memory.memory_state), "unused memory", \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, ALSO, U64, memory.swap_total_bytes, swap_total_bytes, WITH(memory.swap_state),        \
		"swap space", .unit = SOOTH_UNIT_BYTES)                                            \
	F(S, U64, swap_used_bytes, WITH(memory.swap_state), "swap space used",                     \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, ALSO, REAL, memory.some_10s, some_10s_percent, WITH(memory.pressure_state),           \
		"share of the last 10 s in which some task waited for memory", .decimals = 2,      \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, ALSO, REAL, memory.full_10s, full_10s_percent, WITH(memory.pressure_state),           \
		"share of the last 10 s in which all tasks waited", .decimals = 2,                 \
		.unit = SOOTH_UNIT_PERCENT)

struct memory_row {
	struct host_memory memory;
	ROW_MEMBERS(MEMORY_ROW, memory_row)
};

#define TRACER_ROW(F, S)                                                                           \
	F(S, ALSO, TEXT, tracer.name, name, ALWAYS, "name of the tracer", .label = "TRACER",       \
		.is_key = true)                                                                    \
	F(S, ALSO, TEXT, tracer.version, version, WITH(tracer.version_state),                      \
		"version of its package")                                                          \
	F(S, ALSO, ENUM8, tracer.reach, reach, ALWAYS,                                             \
		"what the user of sooth can trace with this tool at present",                      \
		.label = "CAN WATCH", .names = &host_reach_names)                                  \
	F(S, ALSO, TEXT, tracer.path, path, WITH(tracer.path_state),                               \
		"path of the program; null: sooth itself")                                         \
	F(S, ALSO, TEXT, tracer.need, need, ALWAYS, "the privilege it needs", .label = "NEEDS",    \
		.may_shrink = true)                                                                \
	F(S, ALSO, TEXT, tracer.missing, missing, WITH(tracer.missing_state),                      \
		"what is missing to trace more; null: nothing", .is_hidden = true)                 \
	F(S, ALSO, TEXT, tracer.purpose, purpose, ALWAYS, "what it shows", .is_hidden = true)

struct tracer_row {
	struct host_tracer tracer;
	ROW_MEMBERS(TRACER_ROW, tracer_row)
};

/* Whether it is a load record; fields that an older writer lacks are not measured. */
bool host_load_take(struct host_load *out, const struct sooth_record *r);

extern const struct sooth_schema load_row_schema;
extern const struct sooth_schema memory_row_schema;
extern const struct sooth_schema tracer_row_schema;

#endif

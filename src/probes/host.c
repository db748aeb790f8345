/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the host probe. */
#include "probes/host.h"

#include "model/probe.h"
#include "model/schema.h"

static const char *const reach_names[HOST_REACHES] = {
	[HOST_REACH_NOTHING] = "nothing",
	[HOST_REACH_STARTED] = "what it starts",
	[HOST_REACH_OWN] = "own processes",
	[HOST_REACH_ALL] = "everything",
};
const struct sooth_names host_reach_names = { HOST_REACHES, reach_names };

static const char *const resource_names[HOST_RESOURCES] = {
	[HOST_TERMINALS] = "pseudo terminals",
	[HOST_TASKS] = "processes and threads",
	[HOST_FILES] = "open files",
};
const struct sooth_names host_resource_names = { HOST_RESOURCES, resource_names };

#define FIELD_SHARE(type_, member, state_, help_)                                                  \
	{                                                                                          \
		.name = #member "_percent", .type = SOOTH_FIELD_REAL, FIELD_AT(type_, member),     \
		FIELD_STATE_AT(type_, state_), .unit = SOOTH_UNIT_PERCENT, .decimals = 2,          \
		.help = help_                                                                      \
	}
#define FIELD_LOAD(member, help_)                                                                  \
	{                                                                                          \
		.name = #member, .type = SOOTH_FIELD_REAL, FIELD_AT(host_load, member),            \
		FIELD_STATE_AT(host_load, load_state), .decimals = 2, .help = help_                \
	}
#define FIELD_MEMORY(member, state_, help_)                                                        \
	FIELD_NUMBER(host_memory, member, help_, .unit = SOOTH_UNIT_BYTES,                         \
		FIELD_STATE_AT(host_memory, state_))

static const struct sooth_field load_fields[] = {
	FIELD_LOAD(load_1m, "load average of the host over 1 minute"),
	FIELD_LOAD(load_5m, "load average of the host over 5 minutes"),
	FIELD_LOAD(load_15m, "load average of the host over 15 minutes"),
	FIELD_WITH(UNSIGNED, host_load, running, tasks_state,
		"number of runnable threads of the host"),
	FIELD_WITH(UNSIGNED, host_load, tasks, tasks_state, "number of threads of the host"),
	FIELD_NUMBER(host_load, cpus, "number of online CPUs of the host"),
	FIELD_WITH(UNSIGNED, host_load, uptime_ns, uptime_state, "time since the host booted",
		.unit = SOOTH_UNIT_NS),
	FIELD_SHARE(host_load, cpu_some_10s, cpu_state,
		"share of the last 10 s in which some task waited for a CPU"),
	FIELD_SHARE(host_load, io_some_10s, io_state,
		"share of the last 10 s in which some task waited for I/O"),
	FIELD_SHARE(host_load, io_full_10s, io_state,
		"share of the last 10 s in which all tasks waited for I/O"),
	FIELD_WITH(UNSIGNED, host_load, forks, forks_state,
		"number of processes and threads started since the host booted"),
};

static const struct sooth_field cpu_fields[] = {
	FIELD_NUMBER(host_cpu, number, "number of the CPU", .is_key = true),
	FIELD_NUMBER(host_cpu, busy_ns, "time the CPU was used since the host booted",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(host_cpu, idle_ns,
		"time the CPU was idle since the host booted, also while a task waited for I/O",
		.unit = SOOTH_UNIT_NS),
};

static const struct sooth_field limit_fields[] = {
	FIELD_OF(ENUM, host_limit, resource, resource, "resource that all processes share",
		.names = &host_resource_names, .is_key = true),
	FIELD_NUMBER(host_limit, used, "amount of the resource in use"),
	FIELD_NUMBER(host_limit, limit, "amount that the kernel allows"),
};

static const struct sooth_field memory_fields[] = {
	FIELD_MEMORY(total_bytes, memory_state, "total memory of the host"),
	FIELD_MEMORY(free_bytes, memory_state, "unused memory of the host"),
	FIELD_MEMORY(available_bytes, available_state,
		"memory of the host that is available without swapping"),
	FIELD_MEMORY(swap_total_bytes, swap_state, "total swap space of the host"),
	FIELD_MEMORY(swap_free_bytes, swap_state, "unused swap space of the host"),
	FIELD_SHARE(host_memory, some_10s, pressure_state,
		"share of the last 10 s in which some task waited for memory"),
	FIELD_SHARE(host_memory, full_10s, pressure_state,
		"share of the last 10 s in which all tasks waited for memory"),
};

static const struct sooth_field tracer_fields[] = {
	FIELD_STRING(host_tracer, name, "name of the tracing tool", .is_key = true),
	FIELD_OF(ENUM, host_tracer, reach, reach,
		"what the user of sooth can trace with this tool at present",
		.names = &host_reach_names),
	FIELD_WITH(TEXT, host_tracer, path, path_state,
		"path of the tracing tool; null: sooth itself, or part of the kernel"),
	FIELD_WITH(
		TEXT, host_tracer, version, version_state, "version of the tracing tool's package"),
	FIELD_STRING(host_tracer, purpose, "kind of data that the tracing tool shows"),
	FIELD_STRING(host_tracer, need, "privilege that the tracing tool needs"),
	FIELD_WITH(TEXT, host_tracer, missing, missing_state,
		"what is missing to trace more with the tool; null: nothing"),
};

RECORD_SCHEMA(host_load, 120, "host.load", HOST_LOAD, SAMPLE, load_fields);
RECORD_SCHEMA(host_cpu, 56, "host.cpu", HOST_CPU, SAMPLE, cpu_fields);
RECORD_SCHEMA(host_limit, 56, "host.limit", HOST_LIMIT, SAMPLE, limit_fields);
RECORD_SCHEMA(host_memory, 96, "host.memory", HOST_MEMORY, SAMPLE, memory_fields);
RECORD_SCHEMA(host_tracer, 88, "host.tracer", HOST_TRACER, SAMPLE, tracer_fields,
	.time_span = SOOTH_TIME_SPAN_RUN);

static const struct sooth_schema *const schemas[] = { &host_load_schema, &host_memory_schema,
	&host_tracer_schema, &host_cpu_schema, &host_limit_schema, NULL };

const struct probe probe_host = {
	.name = "host",
	.help = "load, memory and pressure of the host, and its tracing tools",
	.offers = INTEREST_SAMPLE,
	.schemas = schemas,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the limits probe. */
#include "probes/limits.h"

#include "model/probe.h"
#include "model/schema.h"

static const char *const unit_names[LIMITS_UNITS] = {
	[LIMITS_NUMBER] = "number",
	[LIMITS_BYTES] = "bytes",
	[LIMITS_SECONDS] = "seconds",
	[LIMITS_MICROSECONDS] = "microseconds",
};
const struct sooth_names limits_unit_names = { LIMITS_UNITS, unit_names };

static const char *const shared_names[LIMITS_SHARED] = {
	[LIMITS_SHARED_CPU] = "cpu",
	[LIMITS_SHARED_MEMORY] = "memory",
	[LIMITS_SHARED_TASKS] = "pids",
	[LIMITS_SHARED_CPUS] = "cpus",
	[LIMITS_SHARED_WATCHES] = "inotify-watches",
	[LIMITS_SHARED_INSTANCES] = "inotify-instances",
	[LIMITS_SHARED_PORTS] = "connections",
	[LIMITS_SHARED_SPACE] = "space",
	[LIMITS_SHARED_MOUNT] = "mount",
	[LIMITS_SHARED_TERMINALS] = "pseudo-terminals",
};
const struct sooth_names limits_shared_names = { LIMITS_SHARED, shared_names };

#define FIELD_LIMITS_UNIT(type_)                                                                   \
	{                                                                                          \
		.name = "unit", .type = SOOTH_FIELD_ENUM, FIELD_AT(type_, unit),                   \
		.names = &limits_unit_names, .help = "unit of the used amount and of the limits"   \
	}
#define FIELD_STATED_AS(type_, member, name_, help_)                                               \
	FIELD_NUMBER_AS(type_, member, name_, help_, FIELD_STATE_AT(type_, member##_state))
#define FIELD_STATED(type_, member, help_) FIELD_STATED_AS(type_, member, member, help_)
#define FIELD_SHARE(member, help_, ...)                                                            \
	{                                                                                          \
		.name = #member "_percent", .type = SOOTH_FIELD_REAL,                              \
		FIELD_AT(limits_pressure, member), .unit = SOOTH_UNIT_PERCENT, .decimals = 2,      \
		.help = help_, ##__VA_ARGS__                                                       \
	}

static const struct sooth_field resource_fields[] = {
	FIELD_PID(limits_resource),
	FIELD_STRING(limits_resource, name, "name of the limit in getrlimit(2)"),
	FIELD_STATED(limits_resource, used,
		"amount of the limited resource in use; null: the kernel does not count it"),
	FIELD_STATED_AS(
		limits_resource, soft, soft_limit, "soft limit of the resource; null: unlimited"),
	FIELD_STATED_AS(
		limits_resource, hard, hard_limit, "hard limit of the resource; null: unlimited"),
	FIELD_LIMITS_UNIT(limits_resource),
};

static const struct sooth_field group_fields[] = {
	FIELD_PID(limits_group),
	FIELD_STRING(
		limits_group, name, "resource that the control group limits: memory, pids, cpu"),
	FIELD_STATED(limits_group, used, "amount of the resource used by the whole control group"),
	FIELD_STATED(limits_group, limit, "limit of the control group; null: none"),
	FIELD_STATED(limits_group, peak, "highest use of the control group so far"),
	FIELD_STATED(limits_group, reached,
		"times the control group reached its limit; cpu: throttled periods"),
	FIELD_STATED(limits_group, kills,
		"processes killed because the control group reached its limit"),
	FIELD_LIMITS_UNIT(limits_group),
	FIELD_NUMBER_AS(
		limits_group, version, control_group_version, "version of control groups: 1 or 2"),
	FIELD_TRUTH(limits_group, is_inherited,
		"path and values are those of a parent control group that has a limit"),
	FIELD_STRING_AS(limits_group, path, control_group, "path of the control group"),
	FIELD_WITH(UNSIGNED, limits_group, file_bytes, file_state,
		"memory of the control group in file pages, freed when needed",
		.unit = SOOTH_UNIT_BYTES),
};

static const struct sooth_field pressure_fields[] = {
	FIELD_PID(limits_pressure),
	FIELD_STRING(limits_pressure, resource, "resource: cpu, memory, io"),
	FIELD_SHARE(some_10s, "share of the last 10 s in which some task waited for the resource"),
	FIELD_SHARE(
		some_60s, "share of the last minute in which some task waited for the resource"),
	FIELD_SHARE(some_300s,
		"share of the last 5 minutes in which some task waited for the resource"),
	FIELD_SHARE(full_10s, "share of the last 10 s in which all tasks waited for the resource",
		FIELD_STATE_AT(limits_pressure, full_state)),
	FIELD_SHARE(full_60s, "share of the last minute in which all tasks waited for the resource",
		FIELD_STATE_AT(limits_pressure, full_state)),
	FIELD_SHARE(full_300s,
		"share of the last 5 minutes in which all tasks waited for the resource",
		FIELD_STATE_AT(limits_pressure, full_state)),
	FIELD_TRUTH(limits_pressure, is_host,
		"the values are for the whole host, not for one control group"),
	FIELD_STRING_AS(limits_pressure, path, control_group, "path of the control group"),
};

static const struct sooth_field segments_fields[] = {
	FIELD_PID(limits_segments),
	FIELD_NUMBER(limits_segments, segments,
		"segments of System V shared memory that the process created"),
	FIELD_NUMBER(limits_segments, bytes, "size of these segments", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(limits_segments, unattached, "of these, segments that no process has mapped"),
	FIELD_NUMBER(limits_segments, unattached_bytes, "size of those", .unit = SOOTH_UNIT_BYTES),
	FIELD_NUMBER(limits_segments, all_segments, "segments of all processes"),
	FIELD_NUMBER(limits_segments, segments_max,
		"limit of the number of segments (kernel.shmmni); 0: not read"),
};

static const struct sooth_field holder_fields[] = {
	FIELD_PID(limits_holder),
	FIELD_OF(ENUM, limits_holder, resource, resource, "resource whose limit is near",
		.names = &limits_shared_names, .is_key = true),
	FIELD_NUMBER(limits_holder, holder_pid,
		"id of a process that uses the resource; 0: no process has it open",
		.is_key = true),
	FIELD_NUMBER(limits_holder, holder_start_ticks,
		"start of that process, in clock ticks after boot"),
	FIELD_OF(CHARS, limits_holder, holder_name, holder_name, "name of that process (comm)"),
	FIELD_NUMBER(
		limits_holder, amount, "used by that process: bytes, or a number; 0 for CPU time"),
	FIELD_NUMBER(limits_holder, count, "number of files; amount is the sum of their sizes"),
	FIELD_NUMBER(limits_holder, unread,
		"number of other processes that could not be read; they may use the resource too"),
	FIELD_TRUTH(limits_holder, is_deleted, "the file was deleted"),
	FIELD_STRING(limits_holder, place,
		"control group, CPUs, peer, or mount point that has the limit"),
	FIELD_STRING(limits_holder, path,
		"file that takes the space; of a process in a full control group: its script",
		.may_shrink = true, .placeholder = "file"),
};

#define FIELD_STATE_BYTE(member, help_)                                                            \
	FIELD_NUMBER(limits_process, member, help_ ", as a state byte", .is_hidden = true)

static const struct sooth_field process_fields[] = {
	FIELD_PID(limits_process),
	FIELD_WITH(SIGNED, limits_process, oom_score, oom_state,
		"OOM score; a process with a higher score is killed earlier when memory runs out"),
	FIELD_WITH(SIGNED, limits_process, oom_score_adjustment, oom_state,
		"adjustment of the OOM score; -1000: the OOM killer never chooses the process"),
	FIELD_WITH(UNSIGNED, limits_process, memory_available_bytes, memory_state,
		"memory of the host that is available without swapping", .unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, limits_process, memory_bytes, memory_state, "total memory of the host",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_STATE_BYTE(resources_state, "whether the resource limits were read, as a state byte"),
	FIELD_STATE_BYTE(groups_state, "whether the control groups were read, as a state byte"),
	FIELD_STATE_BYTE(pressure_state, "whether pressure was read, as a state byte"),
};

RECORD_SCHEMA(limits_resource, 72, "limits.resource", LIMITS_RESOURCE, SAMPLE, resource_fields);
RECORD_SCHEMA(limits_group, 120, "limits.group", LIMITS_GROUP, SAMPLE, group_fields);
RECORD_SCHEMA(limits_pressure, 104, "limits.pressure", LIMITS_PRESSURE, SAMPLE, pressure_fields);
RECORD_SCHEMA(limits_segments, 80, "limits.segments", LIMITS_SEGMENTS, SAMPLE, segments_fields);
RECORD_SCHEMA(limits_holder, 96, "limits.holder", LIMITS_HOLDER, SAMPLE, holder_fields);
RECORD_SCHEMA(limits_process, 72, "limits.process", LIMITS_PROCESS, SAMPLE, process_fields);

static const struct sooth_schema *const schemas[] = { &limits_resource_schema, &limits_group_schema,
	&limits_pressure_schema, &limits_segments_schema, &limits_holder_schema,
	&limits_process_schema, NULL };

const struct probe probe_limits = {
	.name = "limits",
	.help = "resource limits, control groups, pressure, and OOM scores",
	.offers = INTEREST_SAMPLE | INTEREST_BRIEF | INTEREST_EDGES,
	.schemas = schemas,
};

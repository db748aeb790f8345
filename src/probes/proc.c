/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the proc probe. */
#include "probes/proc.h"

#include "core/probe.h"
#include "model/schema.h"

static const struct sooth_field process_fields[] = {
	FIELD_PID(proc_process),
	FIELD_NUMBER(proc_process, ppid, "process id of the parent"),
	{ .name = "start_ticks",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(proc_process, record.start_ticks),
		.is_hidden = true,
		.help = "start, in clock ticks after boot; names the process with its pid" },
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(proc_process, state),
		.help = "R running, S sleeping, D uninterruptible, T stopped, Z zombie, I idle" },
	FIELD_NUMBER(proc_process, uid, "effective user id"),
	FIELD_NUMBER(proc_process, threads, "number of threads"),
	FIELD_NUMBER(proc_process, cpu_ns, "CPU time so far", .unit = SOOTH_UNIT_NS,
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(proc_process, rss_bytes, "resident memory", .unit = SOOTH_UNIT_BYTES,
		.merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(proc_process, vsz_bytes, "address space, mostly reservations",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_LAST, .is_hidden = true),
	FIELD_NUMBER(proc_process, descriptors, "open file descriptors", .is_hidden = true,
		FIELD_STATE_AT(proc_process, descriptors_state)),
	FIELD_NUMBER(proc_process, session, "session id", .is_hidden = true),
	FIELD_NUMBER(proc_process, process_group, "process group", .is_hidden = true),
	FIELD_NUMBER(proc_process, terminal, "controlling terminal, a device number; 0: none",
		.is_hidden = true),
	FIELD_TRUTH(proc_process, cpu_is_ticks, "the CPU time has the resolution of a clock tick",
		.is_hidden = true),
	FIELD_TRUTH(proc_process, is_deleted, "the executable was removed or replaced",
		.is_hidden = true),
	FIELD_STRING(proc_process, name, "name of the main thread (comm)"),
	{ .name = "arguments",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(proc_process, arguments),
		FIELD_STATE_AT(proc_process, arguments_state),
		.help = "command line, secrets masked" },
	FIELD_STRING(proc_process, executable, "path of the executable", .is_hidden = true,
		FIELD_STATE_AT(proc_process, executable_state)),
	FIELD_STRING(proc_process, directory, "working directory", .is_hidden = true,
		FIELD_STATE_AT(proc_process, directory_state)),
	FIELD_STRING(proc_process, control_group, "control group", .is_hidden = true,
		FIELD_STATE_AT(proc_process, control_group_state)),
	{ .name = "marks",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(proc_process, marks),
		FIELD_STATE_AT(proc_process, marks_state),
		.is_hidden = true,
		.help = "texts that tell an agent, of those the executable holds" },
	FIELD_STRING(proc_process, mark_version, "version that stands behind the last of them",
		.is_hidden = true, FIELD_STATE_AT(proc_process, marks_state)),
	FIELD_STRING(proc_process, package, "npm package of the script or the executable",
		.is_hidden = true, FIELD_STATE_AT(proc_process, package_state)),
	FIELD_STRING(proc_process, package_version, "its version, from package.json",
		.is_hidden = true, FIELD_STATE_AT(proc_process, package_state)),
};

static const struct sooth_schema process_schema = {
	.name = "proc.process",
	.kind = PROC_PROCESS,
	.class_ = SOOTH_CLASS_SAMPLE,
	.fixed_size = sizeof(struct proc_process),
	SCHEMA_FIELDS(process_fields),
};

static const struct sooth_field snapshot_fields[] = {
	FIELD_NUMBER(proc_snapshot, from_ns, "when it began", .unit = SOOTH_UNIT_TIME_NS),
};

static const struct sooth_schema snapshot_schema = {
	.name = "proc.snapshot",
	.kind = PROC_SNAPSHOT,
	.class_ = SOOTH_CLASS_EVENT,
	.fixed_size = sizeof(struct proc_snapshot),
	SCHEMA_FIELDS(snapshot_fields),
};

static const struct sooth_schema *const schemas[] = { &process_schema, &snapshot_schema, NULL };

const struct probe probe_proc = {
	.name = "proc",
	.help = "processes: parent, state, CPU time, memory, command, directory",
	.offers = INTEREST_SAMPLE,
	.schemas = schemas,
};

/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the short_lived probe. */
#include "probes/short_lived.h"

#include "model/probe.h"
#include "model/schema.h"

static const struct sooth_field process_fields[] = {
	FIELD_OF(UNSIGNED, short_lived_exit, record.time_ns, time_ns, "time the process ended",
		.unit = SOOTH_UNIT_TIME_NS),
	FIELD_PID(short_lived_exit),
	FIELD_NUMBER_AS(short_lived_exit, parent_pid, ppid, "process id of the parent"),
	FIELD_NUMBER(short_lived_exit, parent_start_ticks,
		"start of the parent, in clock ticks after boot", .is_hidden = true),
	FIELD_NUMBER(short_lived_exit, uid, "effective user id of the process"),
	FIELD_NUMBER_AS(short_lived_exit, life_ns, lifetime_ns,
		"time from fork to exit of the process", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(short_lived_exit, cpu_ns, "CPU time of all threads of the process",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER_AS(short_lived_exit, status, wait_status,
		"exit status of the process as wait(2) encodes it"),
	FIELD_OF(CHARS, short_lived_exit, name, name, "name of the last thread of the process"),
};

RECORD_SCHEMA(short_lived_exit, 88, "exits.process", SHORT_LIVED_PROCESS, EVENT, process_fields);

static const struct sooth_field watch_fields[] = {
	FIELD_NUMBER_AS(short_lived_watch, life_most_ns, max_lifetime_ns,
		"maximum lifetime of recorded processes", .unit = SOOTH_UNIT_NS),
	FIELD_TRUTH_AS(
		short_lived_watch, is_of_all, is_of_all_users, "exits of all users are recorded"),
	FIELD_NUMBER(short_lived_watch, uid, "user id of the recorded user; 4294967295: all users"),
};

RECORD_SCHEMA(short_lived_watch, 48, "exits.watch", SHORT_LIVED_WATCH, DEFINITION, watch_fields);

static const struct sooth_schema *const schemas[] = { &short_lived_exit_schema,
	&short_lived_watch_schema, NULL };

const struct probe probe_short_lived = {
	.name = "short_lived",
	.old_name = "exits",
	.help = "processes that end soon after their start",
	.offers = INTEREST_STREAM,
	.schemas = schemas,
};

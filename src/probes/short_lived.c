/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the exits probe. */
#include "probes/short_lived.h"

#include "core/probe.h"
#include "model/schema.h"

static const struct sooth_field process_fields[] = {
	{ .name = "time_ns",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(short_lived_exit, record.time_ns),
		.unit = SOOTH_UNIT_TIME_NS,
		.help = "when it ended" },
	FIELD_PID(short_lived_exit),
	FIELD_NUMBER(short_lived_exit, parent_pid, "process id of the parent"),
	FIELD_NUMBER(short_lived_exit, parent_start_ticks,
		"start of the parent, in clock ticks after boot", .is_hidden = true),
	FIELD_NUMBER(short_lived_exit, uid, "effective user id"),
	FIELD_NUMBER(short_lived_exit, life_ns, "from its fork to its end", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(short_lived_exit, cpu_ns, "CPU time of its threads", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(short_lived_exit, status, "how it ended, as wait() gives it"),
	{ .name = "name",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(short_lived_exit, name),
		.help = "name of its last thread" },
};

static const struct sooth_schema process_schema = {
	.name = "exits.process",
	.kind = SHORT_LIVED_PROCESS,
	.class_ = SOOTH_CLASS_EVENT,
	.fixed_size = sizeof(struct short_lived_exit),
	SCHEMA_FIELDS(process_fields),
};

static const struct sooth_field watch_fields[] = {
	FIELD_NUMBER(short_lived_watch, life_most_ns, "whoever lived longer is not told",
		.unit = SOOTH_UNIT_NS),
	FIELD_TRUTH(short_lived_watch, is_of_all, "the ends of everybody's processes are told"),
	FIELD_NUMBER(short_lived_watch, uid, "or only those of this user"),
};

static const struct sooth_schema watch_schema = {
	.name = "exits.watch",
	.kind = SHORT_LIVED_WATCH,
	.class_ = SOOTH_CLASS_DEFINITION,
	.fixed_size = sizeof(struct short_lived_watch),
	SCHEMA_FIELDS(watch_fields),
};

static const struct sooth_schema *const schemas[] = { &process_schema, &watch_schema, NULL };

const struct probe probe_short_lived = {
	.name = "short_lived",
	.old_name = "exits",
	.help = "processes that end soon after they began",
	.offers = INTEREST_STREAM,
	.schemas = schemas,
};

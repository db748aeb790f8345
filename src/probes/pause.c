/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of a pause. */
#include "probes/pause.h"

#include "model/schema.h"

#define FIELD_TIME(member_, name_, help_)                                                          \
	{                                                                                          \
		.name = name_, .type = SOOTH_FIELD_UNSIGNED, FIELD_AT(pause_event, member_),       \
		.unit = SOOTH_UNIT_TIME_NS, .help = help_                                          \
	}

const struct sooth_field held_fields[HELD_FIELDS] = {
	FIELD_TIME(record.time_ns, "time_ns", "time the paused threads ran again"),
	FIELD_TIME(asked_ns, "requested_ns",
		"time the pause was requested because the ring buffer was nearly full"),
	FIELD_TIME(stopped_ns, "stopped_ns", "time the last thread was paused"),
	FIELD_NUMBER(pause_event, reserve_ns,
		"time in which the rest of the ring buffer would have filled",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(pause_event, threads, "number of threads that were paused"),
	FIELD_NUMBER(pause_event, refused, "number of threads that could not be paused"),
	FIELD_NUMBER(pause_event, lost, "number of calls lost until the pause"),
};

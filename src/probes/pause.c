/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of a hold. */
#include "probes/pause.h"

#include "model/schema.h"

#define FIELD_TIME(member_, name_, help_)                                                          \
	{                                                                                          \
		.name = name_, .type = SOOTH_FIELD_UNSIGNED, FIELD_AT(pause_event, member_),       \
		.unit = SOOTH_UNIT_TIME_NS, .help = help_                                          \
	}

const struct sooth_field held_fields[HELD_FIELDS] = {
	FIELD_TIME(record.time_ns, "time_ns", "when the threads ran again"),
	FIELD_TIME(
		asked_ns, "requested_ns", "when the pause was requested: the ring was nearly full"),
	FIELD_TIME(stopped_ns, "stopped_ns", "when the last thread was paused"),
	FIELD_NUMBER(pause_event, reserve_ns, "time the rest of the ring would have lasted",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(pause_event, threads, "threads that were paused"),
	FIELD_NUMBER(pause_event, refused, "threads that could not be paused"),
	FIELD_NUMBER(pause_event, lost, "calls lost until then"),
};

_Static_assert(sizeof(struct pause_event) == 72, "the layout is part of the capture format");

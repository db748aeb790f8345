/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of calls, of all processes together or of each by itself. */
#ifndef SOOTH_ANALYZE_PROCESS_FIELDS_H
#define SOOTH_ANALYZE_PROCESS_FIELDS_H

#include "model/schema.h"

/* The process, as the first fields of a row; name_state: the member with the state of its name. */
#define PROCESS_FIELDS(row, name_state)                                                            \
	{ .name = "pid",                                                                           \
		.type = SOOTH_FIELD_UNSIGNED,                                                      \
		FIELD_AT(row, record.pid),                                                         \
		FIELD_STATE_AT(row, process_state),                                                \
		.help = "process id in the initial pid namespace" },                               \
		FIELD_STRING(row, process, "name of the process", FIELD_STATE_AT(row, name_state))

#define PROCESS_FIELD_COUNT 2

/* With the fields from `from` on: 0, or without those above. */
#define SCHEMA_FROM(name_, struct_, table, from)                                                   \
	{                                                                                          \
		.name = name_, .class_ = SOOTH_CLASS_ROW, .fixed_size = sizeof(struct struct_),    \
		.fields = (table) + (from),                                                        \
		.field_count = sizeof(table) / sizeof((table)[0]) - (from)                         \
	}

#endif

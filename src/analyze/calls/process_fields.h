/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of calls, of all processes together or of each by itself. */
#ifndef SOOTH_ANALYZE_PROCESS_FIELDS_H
#define SOOTH_ANALYZE_PROCESS_FIELDS_H

#include "model/schema.h"

/* pid and process, the first fields of such a row. */
#define PROCESS_FIELD_COUNT 2

/* With the fields from `from` on: 0, or without those above. */
#define SCHEMA_FROM(name_, struct_, table, from)                                                   \
	{                                                                                          \
		.name = name_, .class_ = SOOTH_CLASS_ROW, .fixed_size = sizeof(struct struct_),    \
		.fields = (table) + (from),                                                        \
		.field_count = sizeof(table) / sizeof((table)[0]) - (from)                         \
	}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Getting at the fields that a section with a graph names. */
#ifndef SOOTH_SINKS_GRAPH_FIELDS_H
#define SOOTH_SINKS_GRAPH_FIELDS_H

#include "explain/sink.h"

/* NULL: the section names none, or has no such field. */
static inline const struct sooth_field *graph_field(const struct section *section, const char *name)
{
	return name ? sooth_schema_field(section->schema, name) : NULL;
}

/* 0 without a field, or without a value. */
static inline uint64_t graph_number(const struct sooth_field *field, const struct sooth_record *row)
{
	struct sooth_value v;

	if (!field)
		return 0;
	v = sooth_field_get(field, row);
	return v.state == SOOTH_STATE_VALUE ? v.u : 0;
}

#endif

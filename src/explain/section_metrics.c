/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/section_metrics.h"

#include <string.h>

#include "base/units.h"

const struct sooth_field *section_metric_field(
	const struct section *section, const struct section_metric *metric)
{
	return sooth_schema_field(section->schema, metric->field);
}

static bool is_time(const struct sooth_field *field)
{
	return field->unit == SOOTH_UNIT_NS || field->unit == SOOTH_UNIT_UTC_NS;
}

uint32_t section_metric_slot(const struct sooth_value *v, size_t i)
{
	uint32_t count;

	memcpy(&count, v->list.data + i * sizeof(count), sizeof(count));
	return count;
}

const char *section_metric_unit(const struct sooth_field *field)
{
	return is_time(field) ? "seconds" : field->unit == SOOTH_UNIT_BYTES ? "bytes" : NULL;
}

double section_metric_factor(const struct sooth_field *field)
{
	return is_time(field) ? 1.0 / (double)NS_PER_S : 1;
}

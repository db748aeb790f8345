/* SPDX-License-Identifier: BSD-2-Clause */
/* See process_evidence.h. */
#include "analyze/process_evidence.h"

#include "core/registry.h"

static struct span text_of(
	const struct sooth_schema *schema, const struct sooth_record *r, const char *name)
{
	struct sooth_value v = sooth_field_get(sooth_schema_field(schema, name), r);

	if (v.state != SOOTH_STATE_VALUE && v.state != SOOTH_STATE_TRUNCATED)
		return span_of("", 0);
	return span_of(v.text.data, v.text.size);
}

struct agent_evidence process_evidence(const struct sooth_record *process)
{
	const struct sooth_schema *schema = registry_schema(process->kind);

	return (struct agent_evidence){
		.executable = text_of(schema, process, "executable"),
		.name = text_of(schema, process, "name"),
		.arguments = text_of(schema, process, "arguments"),
		.directory = text_of(schema, process, "directory"),
		.marks = text_of(schema, process, "marks"),
		.mark_version = text_of(schema, process, "mark_version"),
		.package = text_of(schema, process, "package"),
		.package_version = text_of(schema, process, "package_version"),
	};
}

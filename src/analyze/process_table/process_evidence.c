/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/process_table/process_evidence.h"

#include "model/probe.h"

/* A text field of a record by its name, borrowed; empty: the field has no value. */
static struct span record_field_text(const struct sooth_record *r, const char *name)
{
	const struct sooth_field *f = sooth_schema_field(registry_schema(r->kind), name);
	struct sooth_value v = sooth_field_get(f, r);

	if (v.state != SOOTH_STATE_VALUE && v.state != SOOTH_STATE_TRUNCATED)
		return span_of("", 0);
	return span_of(v.text.data, v.text.size);
}

struct agent_evidence process_evidence(const struct sooth_record *process)
{
	return (struct agent_evidence){
		.executable = record_field_text(process, "executable"),
		.name = record_field_text(process, "name"),
		.arguments = record_field_text(process, "command"),
		.directory = record_field_text(process, "cwd"),
		.marks = record_field_text(process, "marks"),
		.mark_version = record_field_text(process, "mark_version"),
		.package = record_field_text(process, "package"),
		.package_version = record_field_text(process, "package_version"),
	};
}

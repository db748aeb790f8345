/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists become tables. Each .def is read twice, once to declare and once to
 * list; nothing registers itself at run time.
 */
#include "core/registry.h"

#include <string.h>

#include "model/schema.h"

#define PROBE(id) extern const struct probe probe_##id;
#include "probes/probes.def"
#undef PROBE
#define STAGE(folder, id) extern const struct stage_type stage_##id;
#include "analyze/stages.def"
#undef STAGE
#define SINK(id) extern const struct sink_type sink_##id;
#include "sinks/sinks.def"
#undef SINK
#define AGENT(id) extern const struct agent agent_##id;
#include "agents/agents.def"
#undef AGENT
#define FINDING(id, severity) extern const struct finding_type finding_##id;
#include "findings/findings.def"
#undef FINDING

#define PROBE(id) &probe_##id,
const struct probe *const registry_probes[] = {
#include "probes/probes.def"
	NULL,
};

#define STAGE(folder, id) &stage_##id,
const struct stage_type *const registry_stages[] = {
#include "analyze/stages.def"
	NULL,
};

#define SINK(id) &sink_##id,
const struct sink_type *const registry_sinks[] = {
#include "sinks/sinks.def"
	NULL,
};

#define AGENT(id) &agent_##id,
const struct agent *const registry_agents[] = {
#include "agents/agents.def"
	NULL,
};

#define FINDING(id, severity) { &finding_##id, FINDING_##severity },
const struct finding_entry registry_findings[] = {
#include "findings/findings.def"
	{ NULL, FINDING_INFO },
};

static const char *const severity_names[FINDING_SEVERITIES] = {
	[FINDING_INFO] = "info",
	[FINDING_LOW] = "low",
	[FINDING_MEDIUM] = "medium",
	[FINDING_HIGH] = "high",
	[FINDING_CRITICAL] = "critical",
};
const struct sooth_names finding_severity_names = { FINDING_SEVERITIES, severity_names };

#define REGISTRY_FIND(table, wanted)                                                               \
	({                                                                                         \
		size_t _i = 0;                                                                     \
		while ((table)[_i] && strcmp((table)[_i]->name, wanted))                           \
			_i++;                                                                      \
		(table)[_i];                                                                       \
	})

const struct probe *registry_probe(const char *name)
{
	size_t i = 0;

	while (registry_probes[i] && strcmp(registry_probes[i]->name, name) &&
		!(registry_probes[i]->old_name && !strcmp(registry_probes[i]->old_name, name)))
		i++;
	return registry_probes[i];
}

const struct stage_type *registry_stage(const char *name)
{
	return REGISTRY_FIND(registry_stages, name);
}

const struct sink_type *registry_sink(const char *name)
{
	size_t i = 0;

	while (registry_sinks[i] && strcmp(registry_sinks[i]->name, name) &&
		!(registry_sinks[i]->alias && !strcmp(registry_sinks[i]->alias, name)))
		i++;
	return registry_sinks[i];
}

const struct finding_entry *registry_finding(const char *id)
{
	const struct finding_entry *entry = registry_findings;

	while (entry->type && strcmp(entry->type->id, id))
		entry++;
	return entry->type ? entry : NULL;
}

static const struct sooth_schema *find_kind(
	const struct sooth_schema *const *schemas, uint16_t kind)
{
	while (*schemas && (*schemas)->kind != kind)
		schemas++;
	return *schemas;
}

const struct sooth_schema *registry_schema(uint16_t kind)
{
	const struct sooth_schema *found = find_kind(stream_schemas, kind);

	for (size_t i = 0; !found && registry_probes[i]; i++)
		found = find_kind(registry_probes[i]->schemas, kind);
	return found;
}

static uint16_t kind_of(const struct sooth_schema *const *schemas, const char *name)
{
	for (size_t i = 0; schemas[i]; i++) {
		if (!strcmp(schemas[i]->name, name))
			return schemas[i]->kind;
	}
	return 0;
}

uint16_t registry_kind(const char *schema)
{
	uint16_t kind = kind_of(stream_schemas, schema);

	for (size_t i = 0; !kind && registry_probes[i]; i++)
		kind = kind_of(registry_probes[i]->schemas, schema);
	return kind;
}

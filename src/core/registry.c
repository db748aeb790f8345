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
#define STAGE(id) extern const struct stage_type stage_##id;
#include "analyze/stages.def"
#undef STAGE
#define SINK(id) extern const struct sink_type sink_##id;
#include "sinks/sinks.def"
#undef SINK
#define AGENT(id) extern const struct agent agent_##id;
#include "agents/agents.def"
#undef AGENT

#define PROBE(id) &probe_##id,
const struct probe *const registry_probes[] = {
#include "probes/probes.def"
	NULL,
};

#define STAGE(id) &stage_##id,
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

#define REGISTRY_FIND(table, wanted)                                                               \
	({                                                                                         \
		size_t _i = 0;                                                                     \
		while ((table)[_i] && strcmp((table)[_i]->name, wanted))                           \
			_i++;                                                                      \
		(table)[_i];                                                                       \
	})

const struct probe *registry_probe(const char *name)
{
	return REGISTRY_FIND(registry_probes, name);
}

const struct stage_type *registry_stage(const char *name)
{
	return REGISTRY_FIND(registry_stages, name);
}

const struct sink_type *registry_sink(const char *name)
{
	return REGISTRY_FIND(registry_sinks, name);
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

/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/probe.h"

#include <string.h>

#include "model/schema.h"

#define PROBE(id) extern const struct probe probe_##id;
#include "probes/probes.def"
#undef PROBE

#define PROBE(id) &probe_##id,
const struct probe *const registry_probes[] = {
#include "probes/probes.def"
	NULL,
};

const struct probe *registry_probe(const char *name)
{
	size_t i = 0;

	while (registry_probes[i] && strcmp(registry_probes[i]->name, name) &&
		!(registry_probes[i]->old_name && !strcmp(registry_probes[i]->old_name, name)))
		i++;
	return registry_probes[i];
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

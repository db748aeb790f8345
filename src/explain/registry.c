/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes tables from the lists. Each .def is read twice, once to declare and once to list; nothing
 * registers itself at run time.
 */
#include "explain/registry.h"

#include <string.h>

#define STAGE(folder, id) extern const struct stage_type stage_##id;
#include "analyze/stages.def"
#undef STAGE
#define SINK(id) extern const struct sink_type sink_##id;
#include "sinks/sinks.def"
#undef SINK
#define RETIRED(id)
#define FINDING(id, ...)      extern const struct finding_detector finding_##id;
#define FINDING_IN(file, ...) FINDING(__VA_ARGS__)
#include "findings/findings.def"
#undef FINDING

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

#define FINDING(id_, name_, severity_, claim_, probes_, ...)                                       \
	{ &(const struct finding_type){ .id = name_,                                               \
		  .claim = claim_,                                                                 \
		  .probes = probes_,                                                               \
		  .detector = &finding_##id_,                                                      \
		  __VA_ARGS__ },                                                                   \
		FINDING_##severity_ },
const struct finding_entry registry_findings[] = {
#include "findings/findings.def"
	{ NULL, FINDING_INFO },
};
#undef FINDING
#undef RETIRED

#define FINDING(...)
#define RETIRED(id) #id,
static const char *const retired_findings[] = {
#include "findings/findings.def"
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

const struct finding_entry *registry_finding_of(struct span id)
{
	const struct finding_entry *entry = registry_findings;

	while (entry->type && !span_equal(id, entry->type->id))
		entry++;
	return entry->type ? entry : NULL;
}

bool registry_finding_is_retired(const char *id)
{
	return SPAN_ANY(span_of_string(id), span_equal, retired_findings);
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* What this build has, from the .def lists; each array ends with NULL, or a row of none. */
#ifndef SOOTH_CORE_REGISTRY_H
#define SOOTH_CORE_REGISTRY_H

#include "core/agent.h"
#include "core/finding.h"
#include "core/probe.h"
#include "core/sink.h"
#include "core/stage.h"

extern const struct probe *const registry_probes[];
extern const struct stage_type *const registry_stages[];
extern const struct sink_type *const registry_sinks[];
extern const struct agent *const registry_agents[];
extern const struct finding_entry registry_findings[];

const struct probe *registry_probe(const char *name);
const struct stage_type *registry_stage(const char *name);
const struct sink_type *registry_sink(const char *name);
/* NULL when there is none. */
const struct finding_entry *registry_finding(const char *id);
/* The schema of a kind; NULL when this build does not know it. */
const struct sooth_schema *registry_schema(uint16_t kind);
/* And the kind of a schema, by its name; 0 when there is none. */
uint16_t registry_kind(const char *schema);

#endif

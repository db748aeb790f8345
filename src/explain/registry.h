/* SPDX-License-Identifier: BSD-2-Clause */
/* The views, sinks and findings of this build, from the .def lists. Each array ends with NULL, or
 * with an empty row. */
#pragma once

#include "base/cursor.h"
#include "explain/finding.h"
#include "explain/sink.h"
#include "explain/stage.h"

extern const struct stage_type *const registry_stages[];
extern const struct sink_type *const registry_sinks[];
extern const struct finding_entry registry_findings[];

const struct stage_type *registry_stage(const char *name);
const struct sink_type *registry_sink(const char *name);
/* Returns the row of a finding; NULL when there is none. */
const struct finding_entry *registry_finding_of(struct span id);
/* Returns whether a finding of that name existed in an earlier version. */
bool registry_finding_is_retired(const char *id);

static inline const struct finding_entry *registry_finding(const char *id)
{
	return registry_finding_of(span_of_string(id));
}

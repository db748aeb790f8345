/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of the view "fleet", and the metric that each field is: the one table for every
 * format of metrics. docs/metrics.md lists them; tests/check/metrics compares. */
#pragma once

#include "explain/section_metrics.h"

extern const struct section fleet_agents, fleet_sessions, fleet_activity, fleet_findings,
	fleet_raised, fleet_api, fleet_self;
extern const struct sooth_schema *const fleet_tables[]; /* NULL at the end */

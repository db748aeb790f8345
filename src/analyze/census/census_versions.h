/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions of agents and their order. */
#ifndef SOOTH_ANALYZE_CENSUS_VERSIONS_H
#define SOOTH_ANALYZE_CENSUS_VERSIONS_H

#include "analyze/census/census.h"
#include "analyze/census/verdicts.h"

/* Of an agent that runs, by its program or its own word; empty: not known. */
struct span census_version(const struct census_process *p);
/* The newest version of its agent that is installed for its user; empty: none is known. */
struct span census_newest(const struct census *c, const struct census_process *p);
/* Versions were looked for where it is installed, so that there is no newer one unless told. */
bool census_is_looked_for(const struct census *c, const struct census_process *p);

#endif

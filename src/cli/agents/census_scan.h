/* SPDX-License-Identifier: BSD-2-Clause */
/* A look at every process of this host, as `sooth ps` has it, for commands that act. */
#ifndef SOOTH_CLI_CENSUS_SCAN_H
#define SOOTH_CLI_CENSUS_SCAN_H

#include "analyze/census/census.h"
#include "base/error.h"

/* A settled census; to be freed by census_fini() also when this fails. */
int census_scan(struct census *c, struct sooth_error *err);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* What a record of the proc probe gives the recognisers. */
#ifndef SOOTH_ANALYZE_PROCESS_EVIDENCE_H
#define SOOTH_ANALYZE_PROCESS_EVIDENCE_H

#include <sooth/record.h>

#include "core/agent.h"

/* A proc.process; borrowed from it. What it does not have is empty. */
struct agent_evidence process_evidence(const struct sooth_record *process);

#endif

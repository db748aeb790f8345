/* SPDX-License-Identifier: BSD-2-Clause */
/* What the recognizers get from a record of the probe proc. */
#ifndef SOOTH_ANALYZE_PROCESS_EVIDENCE_H
#define SOOTH_ANALYZE_PROCESS_EVIDENCE_H

#include <sooth/record.h>

#include "agents/agent.h"

/* From a proc.process; borrowed. Missing fields are empty. */
struct agent_evidence process_evidence(const struct sooth_record *process);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* The reports of all detectors for one process, or for the host. */
#ifndef SOOTH_ANALYZE_DIAGNOSED_H
#define SOOTH_ANALYZE_DIAGNOSED_H

#include "analyze/diagnosis/finding_rows.h"
#include "analyze/diagnosis/diagnosis_input.h"
#include "explain/finding.h"

struct diagnosed {
	struct process_id id;
	const struct process_entry
		*process; /* NULL: the host, or a process that ended before a sample */
	bool is_host;
	struct buffer findings; /* struct finding_row, worst first */
	struct buffer fine, blind;
	uint32_t count;
	enum finding_severity worst;
};

#endif
